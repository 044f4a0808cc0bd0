"""A server's process: found where it is, and ended even where it does not want to."""

import time
from types import SimpleNamespace

import pytest

from export import launch

_SAYS = "serving m version 1: gRPC on h:1, REST on http://h:2/v1/models/m"


@pytest.fixture
def instead(tmp_path, monkeypatch):
    """Puts a shell script in the place of the server; `$3` is its folder."""

    def install(script):
        path = tmp_path / "server"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(launch, "sys", SimpleNamespace(executable=str(path)))

    return install


def test_where_it_listens_is_what_it_says(instead, tmp_path, monkeypatch):
    instead(f"echo $3 > {tmp_path}/folder; echo '{_SAYS}'; exec sleep 60")
    monkeypatch.chdir(tmp_path)
    with launch.served("models/m") as served:
        assert (served.grpc, served.rest, served.model) == ("h:1", "http://h:2", "m")
    assert (tmp_path / "folder").read_text().strip() == str(tmp_path / "models" / "m")


def test_a_name_may_have_blanks(instead):
    instead(f"echo '{_SAYS}y  own model'; exec sleep 60")
    with launch.served("m") as served:
        assert (served.rest, served.model) == ("http://h:2", "my  own model")


def test_one_that_does_not_start_says_why(instead):
    instead("echo no luck")
    with pytest.raises(OSError, match="did not start: no luck"), launch.served("m"):
        pass


def test_one_that_does_not_stop_is_killed(instead, monkeypatch):
    instead(f"trap '' TERM; echo '{_SAYS}'; exec sleep 60")
    monkeypatch.setattr(launch, "_STOP_SECONDS", 0.2)
    began = time.monotonic()
    killed = pytest.raises(OSError, match=r"did not stop within 0\.2 s and was killed")
    with killed, launch.served("m") as served:
        pass
    assert time.monotonic() - began < 10
    assert served.process.returncode == -9
