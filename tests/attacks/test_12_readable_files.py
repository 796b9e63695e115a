"""Other accounts of the machine: what people wrote is readable by its owner alone, whatever the umask is."""
import os
import stat

from pathlib import Path


def test_files_and_folders_are_their_owners_alone(start_server, arrive, tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)
    (folder / "chat.sqlite3").touch(mode=0o644)
    before = os.umask(0)
    try:
        server = start_server(INSTANCE_PATH=str(folder))
    finally:
        os.umask(before)
    alice, bob = arrive(server), arrive(server)
    alice.send(bob, "between us")
    paths = [folder, *folder.rglob("*")]
    assert len(paths) > 4
    assert [(path, oct(stat.S_IMODE(Path(path).stat().st_mode))) for path in paths
            if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
