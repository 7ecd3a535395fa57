"""From user data to what networks read: checked arrays, symbols as numbers, contiguous rows."""
