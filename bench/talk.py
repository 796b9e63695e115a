"""Messages between people: at saturation, at a fixed rate, over long polling, and while others log in."""
from .load import Load

TALKERS, IN_FLIGHT = 200, 64
MANY_IN_FLIGHT = 512
PACED_PEOPLE, PACED_RATE = 500, 200     # people, messages per second of all of them
LOGINS_RATE = 2                         # per second: bcrypt with cost 12 takes a quarter of a second of one core
LOGGING_IN = 40                         # people who log in one after the other


def saturated(subject, scope, transport="websocket", in_flight=IN_FLIGHT):
    """200 people with always so many messages in flight: the cost of a message, and the number of messages per second."""
    with Load() as load:
        load("connect", url=subject.url, who=subject.people(TALKERS), kind=transport)
        load("saturate", inFlight=in_flight)
        figures = load.measure(subject, scope.seconds, scope.warm_up)
        load("stop")
    return figures


def paced(subject, scope, logins=False):
    """500 people, 200 messages per second: the cost and the delivery time of a message, with or without logins at the same time."""
    with Load() as load:
        load("connect", url=subject.url, who=subject.people(PACED_PEOPLE))
        load("pace", rate=PACED_RATE)
        if logins:
            from .subjects import PASSWORD
            names = [person["username"] for person in subject.people(LOGGING_IN)]
            load("logIns", url=subject.url, rate=LOGINS_RATE, who=names, password=PASSWORD)
        figures = load.measure(subject, scope.paced_seconds, scope.warm_up)
        load("stop")
    return figures
