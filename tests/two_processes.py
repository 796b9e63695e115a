"""Two processes of one chat. A file that imports these fixtures says in `SHARED` what its database is called, and the key of both."""
import pytest

from tests import services
from tests.server import Server


@pytest.fixture(scope="module")
def own_redis():
    """A Redis in which nobody else publishes, and whose connections may be ended."""
    with services.Redis() as redis:
        yield redis


@pytest.fixture(scope="module")
def shared(request, mariadb, own_redis):
    """The settings that all processes of a file have."""
    name, secret_key = request.module.SHARED
    return {"DATABASE_URL": mariadb.url.replace("/chat", f"/{name}"), "REDIS_URL": own_redis.url, "SECRET_KEY": secret_key}


@pytest.fixture(scope="module")
def two(shared):
    with Server(**shared) as one, Server(**shared) as other:
        yield one, other


@pytest.fixture
def here(two, arrive):
    """Let somebody arrive at the first process."""
    return lambda: arrive(two[0])


@pytest.fixture
def there(two, arrive):
    return lambda: arrive(two[1])
