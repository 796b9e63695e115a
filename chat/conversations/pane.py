"""The left pane of every page: the rooms and the people of a user, with what waits for them there."""
from flask import request
from flask_login import current_user

from ..accounts.user import PAGE
from ..web.request_args import number
from . import room_list
from .conversation_list import count_unread, list_conversations, search_people

ROOMS = 20      # that every page lists at first: those where something was written lately


class Pane:
    """Reads the lists. `presence` knows who is online."""

    def __init__(self, database, presence):
        self.database = database
        self.presence = presence

    def people(self, text, after=None):
        """Return the summaries of one page of people, and the id after which the next one starts, or None."""
        if text.strip():
            summaries = search_people(self.database, current_user.id, text, after, PAGE + 1)
        else:
            summaries = list_conversations(self.database, current_user.id, after, PAGE + 1)
        online = self.presence.online()
        for summary in summaries:
            summary.online = summary.id in online
        return summaries[:PAGE], summaries[PAGE - 1].id if len(summaries) > PAGE else None

    def rooms(self, text):
        """Return what the template of a list of rooms needs: one page of those of a user whose name contains `text`.

        `next_rooms` is the message id before which the next page starts, or None. `mentions_total` counts the mentions in all rooms;
        it is None where all of them are on the page.
        """
        before = number("rooms_before", None)
        if text.strip():
            summaries = room_list.search_rooms(self.database, current_user.id, text, before, ROOMS + 1)
        else:
            summaries = room_list.list_rooms(self.database, current_user.id, before, ROOMS + 1)
        page = summaries[:ROOMS]
        next_rooms = page[-1].last.id if len(summaries) > ROOMS and page[-1].last else None
        is_whole = not (next_rooms or before or text.strip())
        return {"rooms": page, "next_rooms": next_rooms,
                "mentions_total": None if is_whole else room_list.count_mentions(self.database, current_user.id)}

    def unread_total(self, summaries, after, next_after):
        """Return how many messages of people wait, those included who are not among the summaries; None where all who wrote are."""
        is_whole = not (after or request.args.get("q", "").strip()) and not (next_after and summaries[-1].last_seq)
        return None if is_whole else count_unread(self.database, current_user.id)

    def context(self):
        """Return what the template of the pane needs."""
        text = request.args.get("q", "")
        after = number("people_after", None)
        summaries, next_after = self.people(text, after)
        return {"me": current_user, "people": summaries, "next_after": next_after, "q": text, **self.rooms(text),
                "unread_total": self.unread_total(summaries, after, next_after),
                "online_count": len(self.presence.online() - {current_user.id})}
