"""Foundation: what every room stands on. Nothing here knows of networks."""
