"""A transport's id is no key: it stands in addresses and logs."""
import pytest
import websocket

from tests.people import Person, new_client_id
from tests.test_polling_guard import Polling


def upgrade(server, cookie, sid):
    return websocket.create_connection(f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid={sid}",
                                       cookie=cookie, origin=server.url, timeout=10)


def test_a_second_upgrade_leaves_the_first_one_in_its_place(embedded, arrive):
    alice = arrive(embedded)
    polling = Polling(alice).connect()
    first = upgrade(embedded, alice.cookie(), polling.sid)
    first.send("2probe")
    assert first.recv() == "3probe"
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        upgrade(embedded, alice.cookie(), polling.sid)
    first.send("5")
    first.send('421["nothing",{}]')
    while not first.recv().startswith("431"):
        pass
    alice.log_out()
    with pytest.raises((websocket.WebSocketException, OSError)):
        while True:     # it can be cut: what is still sent comes first
            first.recv_frame()
            first.send("3")


def test_another_account_does_not_send_by_a_transport(embedded, arrive):
    alice, bob, eve = (arrive(embedded) for _n in range(3))
    polling = Polling(alice).connect()
    stolen = Polling(eve)
    stolen.path = polling.path
    packet = f'421["sendMessage",{{"clientId":"{new_client_id()}","receiverId":{bob.id},"message":"as alice"}}]'
    assert stolen.post(packet).status_code == 400
    assert eve.get(polling.path).status_code == 400
    alone = Polling(Person(embedded.url))
    alone.path = polling.path
    assert alone.post(packet).text == "OK" and alone.poll() == ["1"], "nothing is done, and nothing told"
    assert bob.history(alice)["messages"] == []
    assert polling.post(packet).status_code == 200
    assert polling.acknowledgements(1)[1]["ok"]
