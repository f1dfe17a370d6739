"""Lock, mirror and cache of the root file system, without building one."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from image import cache, debian, kernel, localdeb, lock, mirror, rootfs, toolchain

HASH = "0" * 64


def package(name: str, version: str, digest: str = HASH) -> lock.Package:
    return lock.Package(name, version, "amd64", digest)


def test_the_lock_names_every_package_we_ask_for() -> None:
    names = {one.name for one in lock.read(rootfs.LOCK)}
    assert set(rootfs.recipe().packages) <= names
    assert {"sa800-dahdi-modules", "libc6", "asterisk-modules"} <= names
    assert not names & {"gcc", "make", "dkms"}, "no compiler on a box"
    names = {one.name for one in lock.read(kernel.LOCK)}
    assert {*kernel.PACKAGES, "sa800-no-initramfs"} <= names
    assert "dracut" not in names


def test_box_and_modules_come_from_one_dahdi() -> None:
    upstream = {
        one.name: one.version.partition(":")[2].partition("-")[0].partition("~")[0]
        for file in (rootfs.LOCK, kernel.LOCK, toolchain.LOCK)
        for one in lock.read(file)
        if one.name in ("dahdi", "dahdi-dkms", "dahdi-source")
    }
    assert upstream["dahdi"] == upstream["dahdi-dkms"] == upstream["dahdi-source"]


def test_what_compiles_for_the_box_has_its_python() -> None:
    python = {
        one.name: one.version
        for file in (rootfs.LOCK, toolchain.LOCK)
        for one in lock.read(file)
        if one.name in ("libpython3.14-stdlib", "libpython3.14-dev")
    }
    assert python["libpython3.14-stdlib"].split(".")[:2] == python["libpython3.14-dev"].split(".")[:2] == ["3", "14"]


def test_a_stand_in_is_the_same_package_each_time(tmp_path: Path) -> None:
    assert localdeb.name_of(rootfs.NO_DKMS) == "sa800-dahdi-modules"
    for name in ("a", "b c"):
        localdeb.build(tmp_path / name, (rootfs.NO_DKMS, kernel.NO_INITRAMFS))
    index = (tmp_path / "a/Packages").read_text()
    assert index == (tmp_path / "b c/Packages").read_text()
    (locked,) = [one for one in lock.read(rootfs.LOCK) if one.name == "sa800-dahdi-modules"]
    assert f"SHA256: {locked.sha256}\n" in index


def test_a_built_package_stands_beside_the_stand_ins(tmp_path: Path) -> None:
    localdeb.build(tmp_path / "empty", (rootfs.NO_DKMS,))
    (deb,) = (tmp_path / "empty").glob("*.deb")
    localdeb.build(tmp_path / "both", (kernel.NO_INITRAMFS,), [deb])
    index = (tmp_path / "both/Packages").read_text()
    assert index.count("\nSHA256: ") == 2
    assert f"Filename: ./{deb.name}\n" in index
    localdeb.build(tmp_path / "none", ())
    assert (tmp_path / "none/Packages").read_text() == ""


def test_the_boxs_openr2_is_ours() -> None:
    (openr2,) = [one for one in lock.read(rootfs.LOCK) if one.name == "libopenr2-3"]
    assert "+sa800" in openr2.version


def test_a_tree_without_dahdi_modules_is_no_kernel(tmp_path: Path) -> None:
    modules = tmp_path / "root/usr/lib/modules/7.2-amd64"
    log = tmp_path / "root/var/lib/dkms/dahdi/3.4.0/7.2-amd64/log/make.log"
    for folder in (modules, log.parent):
        folder.mkdir(parents=True)
    log.write_text("dahdi-base.c: error")
    with pytest.raises(debian.BuildError, match=r"7\.2-amd64.*\ndahdi-base.c: error"):
        kernel.recipe().refine(tmp_path)


def test_the_lock_reads_what_it_writes() -> None:
    packages = (package("b", "2"), package("a", "1:1-1"))
    assert lock.parse(lock.text_of(packages)) == tuple(sorted(packages))
    with pytest.raises(ValueError, match="line 2"):
        lock.parse("# comment\nasterisk 22\n")


def test_drift_says_what_differs() -> None:
    before = [package("a", "1"), package("b", "1"), package("c", "1"), package("same", "1")]
    after = [package("a", "2"), package("b", "1", "1" * 64), package("d", "1"), package("same", "1")]
    assert lock.difference(before, after) == ["~ a 1 → 2", "~ b 1 → other content", "- c 1", "+ d 1"]
    assert lock.difference(before, before) == []


def test_pins_hold_each_locked_version() -> None:
    assert lock.pins([package("a", "1:2-3")]) == "Package: a\nPin: version 1:2-3\nPin-Priority: 1001\n"


def test_an_installed_package_needs_its_hash_in_the_index() -> None:
    index = f"Package: a\nVersion: 1\nArchitecture: amd64\nDescription: x\n y: z\nSHA256: {HASH}\n"
    assert lock.read_installed("a 1 amd64\n", index) == (package("a", "1"),)
    with pytest.raises(ValueError, match="a 2"):
        lock.read_installed("a 2 amd64\n", index)


def test_the_key_knows_everything_that_goes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = [package("a", "1")]
    recipe = rootfs.recipe()
    first = recipe.key(locked)
    assert first == recipe.key(locked)
    assert first != recipe.key([package("a", "2")])
    assert first != replace(recipe, stand_ins=()).key(locked)
    monkeypatch.setattr(debian, "OPTIONS", (*debian.OPTIONS, "--dpkgopt=x"))
    assert first != recipe.key(locked)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "deb-src http://no.example/debian a main\ndeb [arch=amd64] http://m.example/debian a main\n"),
        ("sources.list.d/a.sources", "# c\nTypes: deb deb-src\nURIs: http://m.example/debian\nSuites: a\n"),
        ("sources.list.d/a.list", "deb http://s.example/debian-security a main\ndeb http://m.example/debian a main\n"),
        (
            "sources.list.d/a.sources",
            "Types: deb\nEnabled: no\nURIs: http://off.example/debian\n\nTypes: deb\nURIs:\n http://m.example/debian\n",
        ),
    ],
)
def test_the_mirror_is_the_hosts_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.delenv("SA800_MIRROR", raising=False)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert mirror.find_mirror(tmp_path) == "http://m.example/debian"
    monkeypatch.setenv("SA800_MIRROR", "http://own.example/d")
    assert mirror.find_mirror(tmp_path) == "http://own.example/d"


def test_a_cloud_images_mirror_list_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SA800_MIRROR", raising=False)
    listed = tmp_path / "mirrors.list"
    (tmp_path / "sources.list").write_text(f"deb mirror+file://{listed} bookworm main\n")
    with pytest.raises(mirror.NoMirrorError):
        mirror.find_mirror(tmp_path)
    listed.write_text("# ours\n\nhttp://m.example/debian\tpriority:1\nhttp://other.example/debian\n")
    assert mirror.find_mirror(tmp_path) == "http://m.example/debian"


def test_no_mirror_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SA800_MIRROR", raising=False)
    with pytest.raises(mirror.NoMirrorError, match="SA800_MIRROR"):
        mirror.find_mirror(tmp_path)


def test_an_interrupted_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SA800_CACHE", str(tmp_path / "a cache"))
    dead = cache.folder() / ".build-root-1"
    dead.mkdir()
    with pytest.raises(KeyboardInterrupt), cache.locked("root"), cache.workshop("root") as work:
        (work / "half").write_text("x")
        assert not dead.exists(), "what a killed builder left goes first"
        raise KeyboardInterrupt
    assert [path.name for path in cache.folder().iterdir()] == ["root.lock"]


def test_old_things_are_forgotten_but_not_the_newest_nor_those_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SA800_CACHE", str(tmp_path))
    for index in range(5):
        (tmp_path / f"app-{index}").mkdir()
        os.utime(tmp_path / f"app-{index}", (time.time(), time.time() - (10 + index) * cache.DAY_S))
    cache.forget_old("app-*", keep=2, days=2, in_use=[tmp_path / "app-4"])
    assert sorted(path.name for path in tmp_path.glob("app-*")) == ["app-0", "app-1", "app-4"]
