"""Downloads from a server on this machine: sound, damaged, stalled and interrupted."""

import gzip
import hashlib
import io
import os
import socket
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import data_files
import numpy as np
import pytest

from vaecourse import data
from vaecourse.data import download, sources, torchvision_sets

RESOLVE = socket.getaddrinfo
DATA = os.environ.get("VAECOURSE_DATA")  # here: every test hides it

pytestmark = pytest.mark.usefixtures("private")


@pytest.fixture
def server(monkeypatch):
    """Yield a server on this machine: ``files`` by name, ``asked`` requests, ``url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def _answer(self, body):
            name = self.path.rsplit("/", 1)[1]
            http.asked.append((self.command, self.path))
            content = http.files.get(self.path, http.files.get(name))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"") + http.promised_too_much))
            self.end_headers()
            if body and content is not None:
                self.wfile.write(content)
                if http.stalled:
                    self.wfile.flush()
                    http.released.wait()

        def log_message(self, *_args):
            pass

    monkeypatch.setattr(socket, "getaddrinfo", RESOLVE)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.files, http.asked, http.promised_too_much = {}, [], 0
    http.stalled, http.released = False, threading.Event()
    http.url = f"http://127.0.0.1:{http.server_port}/"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield http
    http.released.set()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def mnist_served(server, monkeypatch):
    """Serve a small MNIST under the names of the true one and with checksums of its own."""
    made = data_files.arrays()
    for key, name in data_files.IDX_NAMES.items():
        server.files[f"{name}.gz"] = gzip.compress(data_files.idx(made[key]))
    files = tuple(checked(name, content) for name, content in server.files.items())
    serve_from(monkeypatch, server.url, files=files)
    monkeypatch.setitem(sys.modules, "torchvision", None)  # it is not needed
    return made


def checked(name, content):
    """Return what a source says about a file."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return sources.File(name, md5, hashlib.sha256(content).hexdigest(), len(content))


def serve_from(monkeypatch, *mirrors, name="mnist", files=None):
    files = sources.SOURCES[name].files if files is None else files
    monkeypatch.setitem(
        sources.SOURCES, name, sources.SOURCES[name]._replace(mirrors=mirrors, files=files)
    )


def cached(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*"))


def test_without_a_stand_in_the_network_is_tried_again(few_strokes, server, mnist_served):
    server.files, kept = {}, server.files
    assert data.load("mnist", offline="strokes").name == "strokes"
    server.files = kept
    assert data.load("mnist", offline="strokes").name == "strokes"
    assert data.load("mnist").name == "mnist"


def test_the_probe_prefers_an_address_that_has_the_file(server):
    server.files["here.gz"] = b"content"
    urls = [server.url + "gone.gz", server.url + "here.gz"]
    assert download.first_answer(urls, deadline=30) == urls[1]


def test_a_download_is_kept_and_loaded(tmp_path, server, mnist_served, capfd):
    split = data.load("mnist")
    out, err = capfd.readouterr()
    assert err == "" and out.startswith("Downloading mnist to ")
    bars = [line for line in out.split("\r") if line.strip().endswith("B/s]")]
    assert [bar.split(":")[0] for bar in bars] == list(server.files)
    np.testing.assert_array_equal(split.test.y.numpy(), mnist_served["y_test"])
    names = [f"{name}.gz" for name in data_files.IDX_NAMES.values()]
    assert cached(tmp_path) == sorted(["data", "MNIST", "raw", *names])
    asked = len(server.asked)
    assert data.load("mnist").identity == split.identity == data.identity("mnist")
    assert len(server.asked) == asked


def test_a_download_goes_through_the_proxy(server, mnist_served, monkeypatch):
    serve_from(monkeypatch, "http://mnist.invalid/files/")
    monkeypatch.setenv("http_proxy", server.url)
    assert data.load("mnist").name == "mnist"
    assert {url.startswith("http://mnist.invalid/files/") for _, url in server.asked} == {True}


def test_a_second_mirror_replaces_a_bad_one(tmp_path, server, mnist_served, monkeypatch):
    last = list(server.files)[-1]
    server.files[f"/bad/{last}"] = b"not what was asked for"
    serve_from(monkeypatch, server.url + "bad/", server.url + "good/")
    monkeypatch.setattr(torchvision_sets, "first_answer", lambda urls, _deadline: urls[0])
    assert data.load("mnist").name == "mnist"
    assert ("GET", f"/bad/{last}") in server.asked and ("GET", f"/good/{last}") in server.asked


@pytest.mark.parametrize("fault", ["changed", "short", "long", "gone"])
def test_a_bad_transfer_leaves_nothing(tmp_path, server, mnist_served, few_strokes, fault):
    last = list(server.files)[-1]
    if fault == "changed":
        server.files[last] = server.files[last][:-1] + b"?"
    elif fault == "short":
        server.promised_too_much = 10
        server.files[last] = server.files[last][:-10]
    elif fault == "long":
        server.files[last] += b"?"
    else:
        del server.files[last]
    with pytest.raises(
        data.DataError, match=f"the download of .*{last} (has MD5|failed|is longer)"
    ):
        data.load("mnist")
    assert cached(tmp_path) == ["data"]
    split = data.load("mnist", offline="strokes")
    assert split.name == "strokes" and last in split.note


@pytest.mark.parametrize(("checksum", "title"), [("md5", "MD5"), ("sha256", "SHA-256")])
def test_both_checksums_must_agree(tmp_path, mnist_served, monkeypatch, checksum, title):
    """A file made to have the MD5 of another is told by its SHA-256."""
    *_, mirrors, (first, *rest) = sources.SOURCES["mnist"]
    serve_from(monkeypatch, *mirrors, files=(first._replace(**{checksum: "0" * 64}), *rest))
    with pytest.raises(data.DataError, match=f"{first.name} has {title} .*, 0+ is wanted"):
        data.load("mnist")
    assert cached(tmp_path) == ["data"]


@pytest.mark.parametrize("name", data_files.IDX_FOLDERS)
def test_the_sources_are_those_of_torchvision(name):
    datasets = pytest.importorskip("torchvision.datasets")
    peer = data_files.IDX_FOLDERS[name]
    *_, mirrors, files = sources.SOURCES[name]
    assert [(file.name, file.md5) for file in files] == getattr(datasets, peer).resources
    known = [mirror.partition("://")[2] for mirror in mirrors]
    assert {mirror.partition("://")[2] for mirror in getattr(datasets, peer).mirrors} <= set(known)
    assert mirrors[0].startswith("https://")


def test_sizes_and_checksums_are_those_of_real_files():
    """Where MNIST lies as it is downloaded, as its sources announce it."""
    folder = Path(DATA or "nowhere") / "MNIST" / "raw"
    paths = [folder / file.name for file in sources.SOURCES["mnist"].files]
    if not all(path.is_file() for path in paths):
        pytest.skip("needs the gzipped files of MNIST in VAECOURSE_DATA")
    found = [checked(path.name, path.read_bytes()) for path in paths]
    assert found == list(sources.SOURCES["mnist"].files)


def test_a_server_that_never_ends_is_left(tmp_path, server):
    """The connection stays open and promises a terabyte; the file is known to be smaller."""
    server.files["endless"] = bytes(2 << 16)
    server.stalled, server.promised_too_much = True, 10**12
    file = checked("endless", bytes(1 << 16))
    with pytest.raises(download.DownloadError, match="is longer than the 65536 bytes"):
        download.fetch(server.url, file, tmp_path)
    assert (tmp_path / "endless").stat().st_size <= file.size


def test_what_a_killed_download_left_is_removed(tmp_path, server, mnist_served):
    folder = tmp_path / "cache" / "data"
    own, other = folder / ".download-mnist-a", folder / ".download-cifar10-b"
    for place in (own, other):
        (place / "finished").mkdir(parents=True)
        (place / "finished" / "half").write_bytes(b"half of")
    data.load("mnist")
    assert not own.exists() and (other / "finished" / "half").read_bytes() == b"half of"


def test_a_disk_without_room_is_named_before_anything_is_asked_for(
    tmp_path, server, mnist_served, monkeypatch
):
    size = sum(map(len, server.files.values()))
    monkeypatch.setattr(download.machine, "free_disk", lambda _folder: size - 1)
    with pytest.raises(data.DataError, match=f"the disk of {tmp_path}.* MB left and .* are needed"):
        data.load("mnist")
    assert {command for command, _ in server.asked} == {"HEAD"}
    assert cached(tmp_path) == ["data"]
    monkeypatch.setattr(download.machine, "free_disk", lambda _folder: size)
    assert data.load("mnist", root=tmp_path).name == "mnist"


def test_a_stalled_transfer_ends(tmp_path, server, mnist_served, monkeypatch):
    server.stalled, server.promised_too_much = True, 10
    monkeypatch.setattr(download, "STALL_SECONDS", 0.3)
    with pytest.raises(data.DataError, match=r"failed \(timed out\)"):
        data.load("mnist")
    assert cached(tmp_path) == ["data"]


def test_an_interrupted_download_leaves_nothing(tmp_path, mnist_served, monkeypatch):
    calls = []

    def fetch(_mirror, file, folder):
        calls.append(file)
        (folder / file.name).write_bytes(b"half of")
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(torchvision_sets, "fetch", fetch)
    with pytest.raises(KeyboardInterrupt):
        data.load("mnist")
    assert len(calls) == 3 and cached(tmp_path) == ["data"]


def test_a_faster_process_wins(tmp_path, mnist_served, monkeypatch):
    other = data_files.arrays(seed=3)
    whole = torchvision_sets.publish

    def publish(finished, target):
        data_files.write_idx(tmp_path / "cache" / "data", other)
        whole(finished, target)

    monkeypatch.setattr(torchvision_sets, "publish", publish)
    assert data.load("mnist").test.y.tolist() == other["y_test"].tolist()


def test_other_files_at_the_place_of_a_download_stay(tmp_path, mnist_served):
    theirs = tmp_path / "cache" / "data" / "MNIST" / "raw" / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine", encoding="utf-8")
    with pytest.raises(data.DataError, match="holds other files, which were left alone"):
        data.load("mnist")
    assert theirs.read_text(encoding="utf-8") == "mine"


def test_a_cache_that_cannot_be_made_is_named(tmp_path, mnist_served):
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(data.DataError) as caught:
        data.load("mnist")
    assert f"{tmp_path / 'cache' / 'data'} cannot be written" in str(caught.value)


def test_cifar10_comes_as_the_binary_archive(tmp_path, server, monkeypatch, capfd):
    made = data_files.arrays((3, 32, 32), num_train=50, num_test=10)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for position, name in enumerate(sources.SOURCES["cifar10"].layouts[0].files):
            part = slice(10 * position, 10 * position + 10) if position < 5 else slice(None)
            x, y = (made[f"{a}_{'train' if position < 5 else 'test'}"][part] for a in "xy")
            content = b"".join(bytes([k]) + image.tobytes() for k, image in zip(y, x, strict=True))
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    server.files["cifar-10-binary.tar.gz"] = packed.getvalue()
    files = (checked("cifar-10-binary.tar.gz", packed.getvalue()),)
    serve_from(monkeypatch, server.url, name="cifar10", files=files)
    split = data.load("cifar10")
    assert capfd.readouterr().err == ""
    np.testing.assert_allclose(split.test.x.numpy(), made["x_test"] / 255, rtol=1e-7)
    assert split.identity == data.content_hash(made)
    names = sources.SOURCES["cifar10"].layouts[0].files
    assert cached(tmp_path) == sorted(["data", "cifar-10-batches-bin", *names])
