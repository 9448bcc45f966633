"""What a tenant may do next: functions that make a request of a tenant's luck, each with its weight."""
from interference.moves import by_id, creating, listing, others

# How everybody begins, so that there is something to ask about.
FIRST = [
    creating.experiment, creating.upload, creating.run, creating.experiment_v1, creating.recurring, creating.run_v1,
    others.tokens
]
# And how they end.
LAST = [listing.walk_theirs] * 5
ALL = creating.MOVES + by_id.MOVES + listing.MOVES + others.MOVES
# For the one who is to be noticed if anything can be: they change more than they look.
HEAVY = [(move, weight * 2) for move, weight in creating.MOVES]
HEAVY += [(by_id.change, 20), (by_id.fire, 8), (by_id.delete, 14), (listing.list_, 6), (listing.walk, 4)]
HEAVY += [(others.tokens, 8), (others.log, 2), (others.tasks, 2)]
