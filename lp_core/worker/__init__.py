"""The worker: one local service that every host talks to."""
