"""A conversation: all events with one correlation id, as a tree of causes (`reading`), in time
(`waterfall`) and as a picture of the tree (`tree_picture`). `details` is what the page shows."""
