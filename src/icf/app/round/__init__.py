"""`icf round`: ask people, train on their answers, compare, decide again."""
