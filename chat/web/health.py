"""Health checks for a proxy or an operator: is the process alive, and is it ready."""
from flask import Blueprint, jsonify

from ..errors import Unavailable


def health_blueprint(database, ping_redis):
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz():
        """Answer 200 while the process is alive."""
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz():
        """Answer 200 while database and Redis answer, else 503 with the names of those that do not."""
        unavailable = []
        for name, ask in (("database", lambda: database.query("SELECT 1")), ("redis", ping_redis)):
            try:
                ask()
            except Unavailable:
                unavailable.append(name)
        return jsonify(status="unavailable" if unavailable else "ok", unavailable=unavailable), 503 if unavailable else 200
    return health
