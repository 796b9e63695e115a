"""Messages between people: at saturation, paced, over long polling, and while others log in."""
from .load import Load

TALKERS, IN_FLIGHT = 200, 64
PACED_PEOPLE, PACED_RATE = 500, 200     # people, messages a second of all of them
LOGINS_RATE = 2                         # a second: bcrypt at cost 12 takes a quarter of a second of one core
LOGGING_IN = 40                         # people who do it in turns


def saturated(subject, scope, transport="websocket"):
    """200 people, 64 messages always on their way: what a message costs, and how many go in a second."""
    with Load() as load:
        load("connect", url=subject.url, who=subject.people(TALKERS), kind=transport)
        load("saturate", inFlight=IN_FLIGHT)
        figures = load.measure(subject, scope.seconds, scope.warm_up)
        load("stop")
    return figures


def paced(subject, scope, logins=False):
    """500 people, 200 messages a second: what a message costs, and how long it takes; with others logging in or without."""
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
