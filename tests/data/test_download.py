"""Downloads from a server on this machine: with ranges, without, cut short, wrong, and absent."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from scipy.io import savemat

from paribus.data import svhn
from paribus.data.catalogue import load
from paribus.data.download import download
from paribus.errors import DataError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves files by name; can ignore ranges or stop after some bytes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.ranges = True
        self.stop_after: int | None = None
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        content = self.server.files.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        start = 0
        if wanted and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if self.server.stop_after is None else start + self.server.stop_after
        self.wfile.write(content[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"file.bin": CONTENT}) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(server: Server, target: Path, md5: str = MD5) -> list[tuple[str, int, int | None]]:
    seen: list[tuple[str, int, int | None]] = []
    download(server.url + "file.bin", target, md5=md5, hint="a hint", progress=lambda *now: seen.append(now))
    return seen


def test_a_whole_download_reports_its_progress_and_is_not_repeated(server: Server, tmp_path: Path) -> None:
    seen = fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert seen[-1] == ("file.bin", len(CONTENT), len(CONTENT))
    assert [here for _, here, _ in seen] == sorted(here for _, here, _ in seen)
    assert fetch(server, tmp_path / "file.bin") == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_cut_short_goes_on_with_or_without_ranges(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.stop_after = 1_200_000
    with pytest.raises(DataError, match=r"1,200,000 of 3,000,000 bytes.*goes on from there"):
        fetch(server, tmp_path / "file.bin")
    assert not (tmp_path / "file.bin").exists()
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:1_200_000]
    server.stop_after, server.ranges = None, ranges
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1200000-"]
    assert not (tmp_path / "file.bin.part").exists()


def test_a_whole_part_that_was_never_renamed_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_discards_the_file(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"MD5 is {MD5}, {'0' * 32} is expected; it was discarded"):
        fetch(server, tmp_path / "file.bin", md5="0" * 32)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_a_stale_part_of_another_file_is_found_out_and_the_next_call_is_right(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="MD5"):
        fetch(server, tmp_path / "file.bin")
    fetch(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_missing_file_and_a_missing_server_are_one_line_with_the_hint(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"answers 404 Not Found; a hint") as caught:
        download(server.url + "none", tmp_path / "none", md5=MD5, hint="a hint")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"cannot be reached \(.*\); a hint") as caught:
        download("http://127.0.0.1:9/file.bin", tmp_path / "none", md5=MD5, hint="a hint")
    assert "\n" not in str(caught.value)


def test_svhn_is_downloaded_checked_and_converted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = {}
    for name, count in (("train_32x32.mat", 40), ("test_32x32.mat", 20), ("extra_32x32.mat", 30)):
        images = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        savemat(tmp_path / name, {"X": images, "y": np.arange(count)[:, None] % 10 + 1})
        server.files[name] = (tmp_path / name).read_bytes()
        md5[name] = hashlib.md5(server.files[name]).hexdigest()
    monkeypatch.setattr(svhn, "EXTRA_MD5", {"extra_32x32.mat": md5.pop("extra_32x32.mat")})
    monkeypatch.setattr(svhn, "MD5", md5)
    folder = tmp_path / "root" / "svhn"
    svhn.download_svhn(folder, url=server.url)
    assert len(load("svhn", "test", folder=tmp_path / "root")) == 20
    assert not (folder / "extra_32x32.mat").exists()
    svhn.download_svhn(folder, extra=True, url=server.url)
    both, plain = (len(load(name, "train", folder=folder.parent)) for name in ("svhn+extra", "svhn"))
    assert both == plain + 30
    assert svhn.svhn_edition(folder) == ""


def test_svhn_without_a_network_names_the_other_way(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be reached .*`paribus data add svhn DIR`"):
        svhn.download_svhn(tmp_path, url="http://127.0.0.1:9/")
