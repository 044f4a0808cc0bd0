"""What people use: one class a job, after KerasHub's manners."""
