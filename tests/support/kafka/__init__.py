"""A Kafka broker for tests: see kafka.py."""
from .kafka import KafkaBroker

__all__ = ["KafkaBroker"]
