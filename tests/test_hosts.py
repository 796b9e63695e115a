"""Hosts: one URL for one server or for several."""
import pytest

from chat.storage.hosts import parsed


@pytest.mark.parametrize("url, username, password, hosts, path", [
    ("mysql://root@127.0.0.1:3306/chat", "root", "", [("127.0.0.1", 3306)], "chat"),
    ("mysql://one,two:4444,three/chat", "", "", [("one", 3306), ("two", 4444), ("three", 3306)], "chat"),
    ("mysql://ro%40ot:p%2Fw%3A,@[::1]:3307,10.0.0.2/", "ro@ot", "p/w:,", [("::1", 3307), ("10.0.0.2", 3306)], ""),
    ("mysql:///chat", "", "", [("127.0.0.1", 3306)], "chat"),
    ("redis+sentinel://:secret@one,two/mymaster/2", "", "secret", [("one", 3306), ("two", 3306)], "mymaster/2"),
])
def test_the_parts_are_told_apart(url, username, password, hosts, path):
    address = parsed(url, "127.0.0.1", 3306)
    assert (address.username, address.password, list(address.hosts), address.path) == (username, password, hosts, path)


@pytest.mark.parametrize("url", ["mysql://one:port/chat", "mysql://one,two:99999/chat"])
def test_a_port_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="[Pp]ort"):
        parsed(url, "127.0.0.1", 3306)
