"""The lease of who changes the schema: one has it, however many want it, and a holder that has ended keeps nobody for long."""
import pytest

from chat.storage import lease, migrations
from chat.storage.lease import Lease, LeaseLost
from tests.databases import BackgroundCall, open_mariadb
from tests.old_databases import records
from tests.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def leased(mariadb, monkeypatch):
    monkeypatch.setattr(lease, "POLL_INTERVAL", 0.02)
    monkeypatch.setattr(lease, "RENEW_INTERVAL", 0.1)
    database = open_mariadb(mariadb)
    yield database
    database.engine.close()


def test_a_lease_that_is_renewed_is_not_taken(leased, caplog):
    """For more looks than make one that is not renewed as good as gone."""
    looks, other = [], Lease(leased.engine.run)
    read = other._read
    other._read = lambda: looks.append(read()) or looks[-1]
    with Lease(leased.engine.run) as mine:
        waiting = BackgroundCall(other.__enter__)
        assert wait_for(lambda: len(looks) > 3 * lease.MAX_UNCHANGED_POLLS, 30)
        mine.check()
        assert waiting.thread.is_alive() and caplog.text.count("this one waits for it") == 1
    waiting.outcome()
    other.check()
    other.__exit__()
    assert records(leased)[0][0] != migrations.LEASE


def test_a_lease_that_is_not_renewed_is_taken_and_its_holder_hears_of_it(leased):
    mine = Lease(leased.engine.run)
    mine.__enter__()
    mine.stopped.set()      # it stands still
    mine.renewing.join()
    with Lease(leased.engine.run) as other:
        other.check()
        with pytest.raises(LeaseLost):
            mine.check()
        mine.__exit__()
        other.check()


def test_of_many_who_take_a_lease_over_one_has_it(leased):
    leased.execute("INSERT INTO schema_migrations VALUES (0, 'somebody who was killed', 'lease', '2024-01-01 00:00:00.000')")
    inside, most = [], []

    def use():
        with Lease(leased.engine.run):
            inside.append(1)
            most.append(len(inside))
            leased.query("SELECT SLEEP(0.05)")
            inside.pop()
    for background_call in [BackgroundCall(use) for _n in range(6)]:
        background_call.outcome()
    assert most == [1] * 6
