"""Episodes, replay, hindsight and mixing: plain numpy."""
