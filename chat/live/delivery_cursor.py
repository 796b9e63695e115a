"""DeliveryCursor: which messages, or changes, were delivered in this process, so that the database can be asked for the others."""
import time

COMMIT_REORDER_WINDOW = 10      # seconds in which rows may be committed in another order than that of their ids


class DeliveryCursor:
    """Knows the ids that were delivered, from a low watermark on.

    Ids are given before the commit, so a smaller one can appear after a greater one. A search therefore begins at what was the
    greatest id at least COMMIT_REORDER_WINDOW ago.
    """

    def __init__(self, database, row_class, clock=time.monotonic):
        """`row_class` is Message or Change."""
        self.database = database
        self.row_class = row_class
        self.clock = clock
        # A search begins above `low_watermark`. `next_low` is the value that it gets when it rises next.
        self.low_watermark = self.next_low = self.high_watermark = row_class.highest_id(database)
        self.advanced_at = clock()
        self.delivered = set()      # ids above the low watermark

    def mark_delivered(self, row_id):
        """Note a row as delivered; return whether it was not before."""
        is_new = row_id not in self.delivered
        self.delivered.add(row_id)
        self.advance_high(row_id)
        return is_new

    def advance_high(self, row_id):
        """Note that a row of that id is stored, here or elsewhere."""
        self.high_watermark = max(self.high_watermark, row_id)

    def undelivered(self):
        """Yield the stored rows that were not delivered, in the order of their ids, each marked as it comes."""
        after = self.low_watermark
        while page := self.row_class.since_id(self.database, after):
            yield from (row for row in page if self.mark_delivered(row.id))
            after = page[-1].id

    def advance_low(self):
        """Raise the low watermark to where the high watermark was when this was last done, at least COMMIT_REORDER_WINDOW ago."""
        if self.clock() - self.advanced_at >= COMMIT_REORDER_WINDOW:
            self.advanced_at = self.clock()
            self.low_watermark, self.next_low = self.next_low, self.high_watermark
            self.delivered = {row_id for row_id in self.delivered if row_id > self.low_watermark}
