"""Foundation: what every other package builds on. Nothing here knows about networks."""
