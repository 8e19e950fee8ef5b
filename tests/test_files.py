"""Files that are written whole: their mode, and links that lead to them."""

import os
import stat

import pytest
import torch

import vaecourse as vae
from vaecourse.runtime.files import check_writable, remove_unfinished, whole_file, write_whole
from vaecourse.training.checkpoints import write_checkpoint

on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows knows no such modes")


@pytest.fixture
def umask():
    """Return what sets the umask until the test ends."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def _text(path):
    write_whole(path, "text")


def _weights(path):
    write_checkpoint(path, {"a": torch.ones(2)}, {})


def _by_another_file(path):
    """Write as libraries do that make a private file and give it the name they were told."""
    with whole_file(path) as unfinished:
        private = unfinished.with_name("private")
        private.touch(0o600)
        os.replace(private, unfinished)


each_writer = pytest.mark.parametrize("write", [_text, _weights, _by_another_file])


@on_posix
@each_writer
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_follows_the_umask(tmp_path, umask, write, mask, mode):
    umask(mask)
    write(tmp_path / "new")
    assert _mode(tmp_path / "new") == mode


@on_posix
@each_writer
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, umask, write, mask):
    path = tmp_path / "old"
    path.write_text("before", encoding="utf-8")
    umask(mask)
    for mode in (0o640, 0o600, 0o755, 0o444):
        path.chmod(mode)
        write(path)
        assert _mode(path) == mode
    assert path.read_bytes() != b"before"
    assert list(tmp_path.iterdir()) == [path]


@on_posix
@each_writer
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing yet"])
def test_a_link_stays_and_its_target_is_written(tmp_path, write, there):
    target, middle, link = (tmp_path / part for part in ("far/away/target", "middle", "here/link"))
    link.parent.mkdir()
    link.symlink_to("../middle")
    middle.symlink_to(target)
    if there:
        target.parent.mkdir(parents=True)
        target.write_text("before", encoding="utf-8")
    write(link)
    assert link.is_symlink()
    assert middle.is_symlink()
    assert not target.is_symlink()
    write(tmp_path / "plain")
    # In a file of weights the order of the metadata changes from one writing to the next.
    assert sorted(target.read_bytes()) == sorted((tmp_path / "plain").read_bytes())
    assert list(link.parent.iterdir()) == [link]
    assert list(target.parent.iterdir()) == [target]


@on_posix
def test_what_was_left_unfinished_behind_a_link_is_removed(tmp_path):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    link.symlink_to(target)
    target.parent.mkdir()
    stale = target.with_name("target.0123abcd.partial")
    stale.touch()
    remove_unfinished(link)
    assert not stale.exists()


@on_posix
def test_an_unfinished_file_is_no_more_open_than_the_whole_one(tmp_path, umask):
    path = tmp_path / "secret"
    path.touch(0o600)
    with whole_file(path) as unfinished:
        unfinished.write_text("text", encoding="utf-8")
        assert _mode(unfinished) == 0o600


@pytest.mark.parametrize("write", [_text, _weights])
def test_what_is_no_file_is_not_replaced(tmp_path, write):
    folder = tmp_path / "folder"
    places = [folder]
    folder.mkdir()
    if os.name == "posix":
        places.append(tmp_path / "pipe")
        os.mkfifo(places[-1])
    for place in places:
        with pytest.raises(FileExistsError) as caught:
            write(place)
        wanted = "is a folder or a device, and a file was to be written there; give another path"
        assert str(caught.value) == f"{place} {wanted}"
    assert sorted(tmp_path.iterdir()) == places
    assert list(folder.iterdir()) == []


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "old"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), whole_file(path) as unfinished:
        unfinished.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


@on_posix
@pytest.mark.parametrize("there", [True, False], ids=["over an old file", "anew"])
@pytest.mark.parametrize("write", [_text, _weights])
def test_without_room_the_file_is_named_and_the_old_one_stays(tmp_path, write, there):
    """A limit on the size of files stands in for a full disk: the system refuses in its way."""
    import resource

    path = tmp_path / "kept"
    if there:
        path.write_text("before", encoding="utf-8")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        with pytest.raises(OSError, match="could not be written whole") as caught:
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kept = "what stood there before is untouched" if there else "nothing of it is left"
    assert str(path) in str(caught.value) and kept in str(caught.value)
    assert [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()] == ["before"] * there


def test_what_can_be_written_is_known_before_and_nothing_is_made(tmp_path):
    check_writable(tmp_path / "new")
    check_writable(tmp_path / "some" / "folder" / "new")
    (tmp_path / "file").write_text("text", encoding="utf-8")
    check_writable(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(FileExistsError, match="is a folder or a device"):
        check_writable(tmp_path)
    with pytest.raises(NotADirectoryError, match=r"new cannot be written \(Not a directory\)"):
        check_writable(tmp_path / "file" / "new")


@on_posix
@pytest.mark.parametrize("name", ["a" * 245, "é" * 125, "b" * 300])
@pytest.mark.parametrize("folder", ["", "missing"])
def test_a_name_that_is_too_long_for_what_stands_beside_it_is_told_before(tmp_path, name, folder):
    path = tmp_path / folder / name
    with pytest.raises(OSError, match=r"cannot be written \(File name too long\); give another"):
        check_writable(path)
    with pytest.raises(OSError, match="File name too long"):
        write_whole(path, "text")
    check_writable(tmp_path / folder / name.encode()[:230].decode(errors="ignore"))


@on_posix
def test_a_folder_that_may_not_be_written_is_named_before(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # root may write everywhere
    with pytest.raises(PermissionError, match=r"new cannot be written \(Permission denied\); give"):
        check_writable(tmp_path / "new")


@pytest.mark.parametrize("place", ["a folder", "below a file"])
def test_fit_asks_before_the_first_step(tmp_path, place):
    path = tmp_path / "taken"
    path.mkdir() if place == "a folder" else path.write_text("text", encoding="utf-8")
    model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(OSError, match="give another path"):
        vae.fit(
            model,
            vae.objectives.elbo,
            vae.load("digits"),
            steps=1,
            checkpoint=path if place == "a folder" else path / "run",
        )
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
