"""Two questions that a proxy or an operator asks: does the process live, and can it work."""
from flask import Blueprint, jsonify

from ..errors import Unavailable


def health_blueprint(database, ping_redis):
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz():
        """200 while the process lives."""
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz():
        """200 while database and Redis answer, else 503 naming which does not."""
        away = []
        for name, ask in (("database", lambda: database.query("SELECT 1")), ("redis", ping_redis)):
            try:
                ask()
            except Unavailable:
                away.append(name)
        return jsonify(status="unavailable" if away else "ok", unavailable=away), 503 if away else 200
    return health
