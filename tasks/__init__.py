"""What i-Reserve enqueues, and the Celery application that works it off.

from tasks import create_root_post, post_reply, send_notification
"""

from tasks.app import app
from tasks.outbound import create_root_post, post_reply, send_notification

__all__ = ["app", "create_root_post", "post_reply", "send_notification"]
