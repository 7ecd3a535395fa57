"""From what users have to what networks read: checked arrays, symbols as numbers, contiguous rows."""
