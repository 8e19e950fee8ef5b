"""Life without a network: the error, the fallback to strokes, the probe."""

import socket
import threading

import data_files
import numpy as np
import pytest

from vaecourse import data
from vaecourse.data import download, sources, strokes, torchvision_sets

RESOLVE = socket.getaddrinfo

pytestmark = pytest.mark.usefixtures("private")


# Without a network


def test_without_network_one_error_says_which_files_go_where(tmp_path, monkeypatch):
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "mine"))
    with pytest.raises(data.DataError) as caught:
        data.load("mnist")
    for words in (
        str(tmp_path / "mine"),
        str(tmp_path / "cache" / "data"),
        "VAECOURSE_DATA",
        "train-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
        "MNIST/raw",
        "mnist.npz",
        "the network does not answer",
    ):
        assert words in str(caught.value)
    with pytest.raises(data.DataError, match=r"data_batch_1.bin.* cifar-10-batches-bin"):
        data.load("cifar10")


@pytest.mark.parametrize(
    ("name", "title"), [("mnist", "MNIST"), ("fashion_mnist", "Fashion-MNIST")]
)
def test_fallback_says_so_once_and_remembers(few_strokes, capfd, monkeypatch, name, title):
    first = data.load(name, offline="strokes")
    out, err = capfd.readouterr()
    assert err == "" and out == first.note + "\n"
    assert first.note.startswith(f"Note: {title} is not on this machine and the network does not")
    assert first.name == "strokes"
    np.testing.assert_allclose(
        first.test.x.numpy()[:, 0], data_files.arrays(seed=7)["x_test"] / 255, rtol=1e-7
    )

    def forbidden(*_args):
        raise AssertionError("the network was tried again")

    monkeypatch.setattr(torchvision_sets, "first_answer", forbidden)
    second = data.load(name, offline="strokes")
    assert capfd.readouterr() == ("", "")
    assert second.note == first.note and second.identity == first.identity


def test_words_come_before_the_drawing(monkeypatch, capsys):
    said = []

    def load_arrays(_root):
        said.append(capsys.readouterr().out)
        return data_files.arrays()

    monkeypatch.setattr(strokes, "load_arrays", load_arrays)
    split = data.load("mnist", offline="strokes")
    assert said == [split.note + "\n"]


def test_strokes_are_cached_in_the_cache_and_not_in_the_given_folder(few_strokes, tmp_path):
    data.load("mnist", offline="strokes", root=tmp_path / "mine")
    data.load("strokes", root=tmp_path / "mine")
    assert few_strokes == [tmp_path / "cache" / "data"] * 2


@pytest.mark.parametrize("value", ["1", "true"])
def test_the_environment_forbids_the_network(few_strokes, monkeypatch, capfd, value):
    def forbidden(*_args):
        raise AssertionError("the network was tried")

    monkeypatch.setattr(torchvision_sets, "download", forbidden)
    monkeypatch.setenv("VAECOURSE_OFFLINE", value)
    split = data.load("mnist", offline="strokes")
    assert split.name == "strokes" and "VAECOURSE_OFFLINE=1" in split.note
    assert capfd.readouterr().out == split.note + "\n"
    with pytest.raises(data.DataError, match="switched off"):
        data.load("mnist")


def test_files_on_disk_need_no_network_and_no_note(tmp_path, monkeypatch, capfd):
    data_files.write_idx(tmp_path, data_files.arrays())
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    split = data.load("mnist", offline="strokes", root=tmp_path)
    assert (split.name, split.note) == ("mnist", "")
    assert capfd.readouterr() == ("", "")


# The probe


def test_the_probe_leaves_a_reader_less_than_five_seconds(monkeypatch, few_strokes):
    deadlines = []

    def probe(urls, deadline):
        deadlines.append(deadline)
        assert len(urls) == len(sources.SOURCES["mnist"].mirrors)
        raise download.DownloadError("the network does not answer")

    monkeypatch.setattr(torchvision_sets, "first_answer", probe)
    data.load("mnist", offline="strokes")
    assert len(deadlines) == 1 and 0 < deadlines[0] < 5


def test_a_hanging_name_server_cannot_hold_up_the_caller(monkeypatch):
    released, back = threading.Event(), threading.Event()

    def hang(*_args, **_kwargs):
        released.wait()
        raise socket.gaierror("at last")

    def call():
        with pytest.raises(download.DownloadError, match="does not answer"):
            download.first_answer(["http://a.invalid/", "http://b.invalid/"], deadline=0.3)
        back.set()

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    caller = threading.Thread(target=call)
    caller.start()
    try:
        assert back.wait(20)  # seventy times the deadline, and the name server still hangs
    finally:
        released.set()
        caller.join()


def test_a_silent_server_cannot_hold_up_the_caller(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", RESOLVE)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        with pytest.raises(download.DownloadError, match="does not answer"):
            download.first_answer([url], deadline=0.3)


def test_refused_addresses_end_the_probe_at_once():
    with pytest.raises(download.DownloadError):  # a deadline of an hour: only refusals can end it
        download.first_answer(["http://a.invalid/", "http://b.invalid/", "no address"], 3600)


# Identity


def test_identity_never_uses_the_network(monkeypatch, tmp_path):
    def forbidden(*_args):
        raise AssertionError("the network was tried")

    monkeypatch.setattr(torchvision_sets, "download", forbidden)
    assert data.identity("mnist") == "absent"
    assert data.identity("mnist", offline="strokes") == data.identity("strokes")
    assert data.identity("strokes").startswith("strokes-")
    data_files.write_idx(tmp_path, data_files.arrays())
    found = data.identity("mnist", offline="strokes", root=tmp_path)
    assert found == data.load("mnist", root=tmp_path).identity
