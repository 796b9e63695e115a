"""Redis 3.0, which is what Windows has, to the newest: the chat uses no command that the oldest does not know."""
import pytest
import redis

from tests import services
from tests.conftest import SECRET_KEY
from tests.people import ANSWER_SECONDS
from tests.waiting import wait_for

# What Redis 3.0.7 answers to COMMAND.
KNOWN_TO_3_0 = frozenset("""
append asking auth bgrewriteaof bgsave bitcount bitop bitpos blpop brpop brpoplpush client cluster command config dbsize debug
decr decrby del discard dump echo eval evalsha exec exists expire expireat flushall flushdb get getbit getrange getset hdel
hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hscan hset hsetnx hvals incr incrby incrbyfloat info keys
lastsave latency lindex linsert llen lpop lpush lpushx lrange lrem lset ltrim mget migrate monitor move mset msetnx multi object
persist pexpire pexpireat pfadd pfcount pfdebug pfmerge pfselftest ping psetex psubscribe psync pttl publish pubsub punsubscribe
randomkey readonly readwrite rename renamenx replconf restore restore-asking role rpop rpoplpush rpush rpushx sadd save scan scard
script sdiff sdiffstore select set setbit setex setnx setrange shutdown sinter sinterstore sismember slaveof slowlog smembers
smove sort spop srandmember srem sscan strlen subscribe substr sunion sunionstore sync time ttl type unsubscribe unwatch wait
watch zadd zcard zcount zincrby zinterstore zlexcount zrange zrangebylex zrangebyscore zrank zrem zremrangebylex zremrangebyrank
zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunionstore
""".split())


class OldRedis(services.Redis):
    """A Redis of today from which every command is taken that 3.0.7 did not know: it answers to them as that one did."""

    newer = ()

    def _command(self):
        return super()._command() + [word for name in self.newer for word in ("--rename-command", name, "")]


@pytest.fixture(scope="module")
def old_redis(redis_server):
    with redis_server.connect() as client:
        # Those of modules, which Redis 8 comes with, cannot be taken away.
        OldRedis.newer = sorted(name for name, command in client.command().items() if name not in KNOWN_TO_3_0 and "module" not in command["flags"])
    assert {"hello", "getdel", "unlink", "xadd"} <= set(OldRedis.newer)
    with OldRedis() as server:
        yield server


def refused(server):
    """Return how many commands were unknown, or asked for in a way that is: a client may keep silent about it."""
    with server.connect() as client:
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.execute_command("HELLO", 3)
        return client.info("errorstats")["errorstat_ERR"]["count"] - 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_a_redis_3_0_serves(old_redis, mariadb, start_server, arrive, mode):
    shared = {"DATABASE_URL": mariadb.url.replace("/chat", f"/old_redis_{mode}"), "REDIS_URL": old_redis.url, "SECRET_KEY": SECRET_KEY,
              "ASYNC_MODE": mode, "RATELIMIT_ENABLED": "1"}
    with old_redis.connect() as client:
        client.config_resetstat()
    one, other = start_server(**shared), start_server(**shared)
    alice, bob = arrive(one), arrive(other)
    there, tab = bob.tab(), alice.tab()
    assert tab.send(bob, "bonjour")["ok"]
    assert there.wait_for("receiveMessage")["message"] == "bonjour"
    assert wait_for(lambda: alice.json("/users")["users"][0]["online"], ANSWER_SECONDS), "presence"
    alice.log_out()
    assert tab.ended.wait(ANSWER_SECONDS)
    assert "Welcome" not in alice.log_in("not the password").text, "the limits count it"
    assert alice.log_in().status_code == 302
    assert refused(old_redis) == 0
