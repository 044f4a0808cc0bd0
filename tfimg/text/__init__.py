"""Words: the corpus, the tokenizer's vocabulary and the BERT branch."""
