"""The journey, through Segment's client for Python."""

import json
import os

from segment.analytics.client import Client

client = Client(os.environ["KEY"], host=os.environ["URL"], upload_size=int(os.environ["FLUSH_AT"]), upload_interval=0.2,
                on_error=lambda error, batch: print("error", error))
NAMES = {"userId": "user_id", "anonymousId": "anonymous_id", "messageId": "message_id"}
with open(os.environ["JOURNEY"], encoding="utf-8") as lines:
    for message in json.load(lines):
        kind = message.pop("kind")
        getattr(client, kind)(**{NAMES.get(name, name): value for name, value in message.items()})
client.shutdown()
