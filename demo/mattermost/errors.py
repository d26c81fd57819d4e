"""All refusals of the stand-in, with the status, id and message of Mattermost 6.7.2.

The module `versions` holds the different answers of other versions.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error of Mattermost; id and message may hold `{placeholders}`."""

    status: int
    id: str
    message: str


class ApiError(Exception):
    """A request is refused; the attributes are those of the JSON answer."""

    def __init__(self, refusal: Refusal, **details: object) -> None:
        """Fill the refusal's placeholders from the details."""
        self.status = refusal.status
        self.id = refusal.id.format(**details) if details else refusal.id
        self.message = refusal.message.format(**details) if details else refusal.message
        super().__init__(f"{self.status} {self.id}")


SESSION_EXPIRED = Refusal(
    401, "api.context.session_expired.app_error", "Invalid or expired session, please login again."
)
LOGIN_FAILED = Refusal(
    401, "api.user.login.invalid_credentials_email_username", "Enter a valid email or username."
)
PERMISSIONS = Refusal(
    403, "api.context.permissions.app_error", "You do not have the appropriate permissions."
)
INVALID_URL_PARAM = Refusal(
    400,
    "api.context.invalid_url_param.app_error",
    "Invalid or missing {name} parameter in request URL.",
)
INVALID_PARAM = Refusal(400, "api.context.invalid_param.app_error", "Invalid {name} parameter.")
INVALID_BODY_PARAM = Refusal(
    400, "api.context.invalid_body_param.app_error", "Invalid or missing {name} in request body."
)
OLD_FORMAT_ONLY = Refusal(
    501,
    "api.config.client.old_format.app_error",
    "New format for the client configuration is not supported yet.",
)

USER_UNKNOWN = Refusal(404, "app.user.missing_account.const", "Unable to find the user.")
USERNAME_TAKEN = Refusal(
    400, "app.user.save.username_exists.app_error", "An account with that username already exists."
)
EMAIL_HIDDEN = Refusal(
    403, "api.user.get_user_by_email.permissions.app_error", "Unable to get user by email."
)
TEAM_UNKNOWN = Refusal(404, "app.team.get.find.app_error", "Unable to find the existing team.")
TEAM_NAME_UNKNOWN = Refusal(
    404, "app.team.get_by_name.missing.app_error", "Unable to find the existing team."
)
TEAM_NAME_TAKEN = Refusal(
    400, "app.team.save.existing.app_error", "Must call update for existing team."
)
NOT_IN_TEAM = Refusal(
    404, "app.team.get_member.missing.app_error", "No team member found for that user ID."
)
CHANNEL_UNKNOWN = Refusal(
    404, "app.channel.get.existing.app_error", "Unable to find the existing channel."
)
CHANNEL_NAME_UNKNOWN = Refusal(
    404, "app.channel.get_by_name.missing.app_error", "Channel does not exist."
)
CHANNEL_NAME_TAKEN = Refusal(
    400,
    "store.sql_channel.save_channel.exists.app_error",
    "A channel with that name already exists on the same team.",
)
MEMBER_UNKNOWN = Refusal(
    404,
    "app.channel.get_member.missing.app_error",
    "No channel member found for that user ID and channel ID.",
)

POST_UNKNOWN = Refusal(404, "app.post.get.app_error", "Unable to get the post.")
POST_GET_FAILED = Refusal(500, "app.post.get.app_error", "Unable to get the post.")
POST_ROOT = Refusal(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
POST_ROOT_CHANNEL = Refusal(
    400, "api.post.create_post.channel_root_id.app_error", "Invalid ChannelId for RootId parameter."
)
POST_TO_ARCHIVED = Refusal(
    400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel."
)
PATCH_IN_ARCHIVED = Refusal(
    400,
    "api.post.patch_post.can_not_update_post_in_deleted.error",
    "Can not update a post in a deleted channel.",
)
EDITED_TOO_LATE = Refusal(
    400,
    "api.post.update_post.permissions_time_limit.app_error",
    "Post edit is only allowed for {seconds} seconds. Please ask your System Administrator.",
)
POST_TOO_LONG = Refusal(400, "model.post.is_valid.msg.app_error", "Invalid message.")
POST_MESSAGE_LENGTH = Refusal(
    400,
    "model.post.is_valid.message_length.app_error",
    "Post Message property is longer than the maximum permitted length.",
)
PRIORITY_OF_REPLY = Refusal(
    400,
    "api.post.post_priority.priority_post_only_allowed_for_root_post.request_error",
    "Only root posts may have a priority.",
)
PRIORITY_DISABLED = Refusal(
    403,
    "api.post.post_priority.priority_post_not_allowed_for_user.request_error",
    "Post priority is not allowed.",
)
PERMANENT_DELETION_DISABLED = Refusal(
    501, "api.post.delete_post.not_enabled.app_error", "Permanent deletion is not enabled."
)
USER_DELETION_DISABLED = Refusal(
    401, "api.user.delete_user.not_enabled.app_error", "Permanent user deletion is not enabled."
)
ACTION_UNKNOWN = Refusal(404, "api.post.do_action.action_id.app_error", "Invalid action id.")
ACTION_FAILED = Refusal(
    400, "api.post.do_action.action_integration.app_error", "Action integration error."
)
POST_FILE_IDS = Refusal(
    400,
    "model.post.is_valid.file_ids.app_error",
    "Invalid file ids. Note that uploads are limited to 10 files maximum. "
    "Please use additional posts for more files.",
)
POST_PROPS = Refusal(400, "model.post.is_valid.props.app_error", "Invalid props.")
POST_TYPE = Refusal(400, "model.post.is_valid.type.app_error", "Invalid type.")
POST_HAS_ID = Refusal(
    400, "app.post.save.existing.app_error", "You cannot update an existing Post."
)
POST_SAVE = Refusal(500, "app.post.save.app_error", "Unable to save the Post.")
POST_PENDING = Refusal(
    500,
    "api.post.deduplicate_create_post.pending",
    "Rejected post since another client is making the same request.",
)
POST_DUPLICATE_GONE = Refusal(
    500,
    "api.post.deduplicate_create_post.failed_to_get",
    "Failed to fetch original post after deduplicating a client repeating the same request.",
)
POST_REJECTED_BY_PLUGIN = Refusal(
    400, "Post rejected by plugin. {reason}", "Post rejected by plugin. {reason}"
)

FILES_DISABLED = Refusal(
    501,
    "api.file.attachments.disabled.app_error",
    "File attachments have been disabled on this server.",
)
FILES_DISABLED_403 = Refusal(
    403,
    "api.file.attachments.disabled.app_error",
    "File attachments have been disabled on this server.",
)
FILE_UNREADABLE = Refusal(
    400,
    "api.file.upload_file.read_request.app_error",
    "Unable to upload file(s). Error reading or parsing request data.",
)
FILE_TOO_LARGE = Refusal(
    413,
    "api.file.upload_file.too_large_detailed.app_error",
    "Unable to upload file {name}. {size} bytes exceeds the maximum allowed {limit} bytes.",
)
IMAGE_TOO_LARGE = Refusal(
    400,
    "api.file.upload_file.large_image_detailed.app_error",
    "{name} dimensions ({width} by {height} pixels) exceed the limits.",
)
FILE_CLIENT_IDS = Refusal(
    400,
    "api.file.upload_file.incorrect_number_of_client_ids.app_error",
    "Unable to upload file(s). Have {ids} client_ids for {files} files.",
)
FILE_SAVE = Refusal(500, "app.file_info.save.app_error", "Unable to save the file info.")
FILE_UNKNOWN = Refusal(404, "app.file_info.get.app_error", "Unable to get the file info.")
NO_THUMBNAIL = Refusal(
    400,
    "api.file.get_file_thumbnail.no_thumbnail.app_error",
    "File doesn't have a thumbnail image.",
)
NO_PREVIEW = Refusal(
    400, "api.file.get_file_preview.no_preview.app_error", "File doesn't have a preview image."
)

REACTION_INVALID = Refusal(
    400, "api.reaction.save_reaction.invalid.app_error", "Reaction is not valid."
)
REACTION_IN_ARCHIVED = Refusal(
    403, "api.reaction.save.archived_channel.app_error", "You cannot react in an archived channel."
)

THREAD_NOT_FOLLOWED = Refusal(
    404,
    "app.user.get_thread_membership_for_user.not_found",
    "Unable to get the thread's membership of the user.",
)
THREAD_WITHOUT_REPLY = Refusal(
    404, "app.user.get_threads_for_user.not_found", "Unable to get the thread of the user."
)
COLLAPSED_THREADS = Refusal(
    400,
    "model.config.is_valid.collapsed_threads.app_error",
    "CollapsedThreads setting must be one of the known values.",
)

COMMAND_TRIGGER_TAKEN = Refusal(
    400, "api.command.duplicate_trigger.app_error", "This trigger word is already in use."
)
COMMAND_TRIGGER = Refusal(400, "model.command.is_valid.trigger.app_error", "Invalid trigger.")
COMMAND_UNKNOWN = Refusal(
    404, "api.command.execute_command.not_found.app_error", "Command with a trigger not found."
)
COMMAND_START = Refusal(
    400, "api.command.execute_command.start.app_error", "Command must start with /."
)
COMMAND_FAILED = Refusal(
    500, "api.command.execute_command.failed.app_error", "Command with a trigger failed."
)
COMMAND_FAILED_STATUS = Refusal(
    500,
    "api.command.execute_command.failed_resp.app_error",
    "Command with a trigger returned another status than 200.",
)
COMMAND_FAILED_POST = Refusal(
    500,
    "api.command.execute_command.create_post_failed.app_error",
    "Command unable to post response message.",
)
RESPONSE_URL_UNKNOWN = Refusal(
    404, "web.command_webhook.general.app_error", "Failed to handle the command's response."
)
RESPONSE_URL_USED_UP = Refusal(
    400, "app.command_webhook.try_use.invalid", "Invalid webhook: it was used too often."
)
RESPONSE_URL_USED_UP_11 = Refusal(
    400, "web.command_webhook.general.app_error", "Failed to handle the command's response."
)

HOOKS_DISABLED = Refusal(
    501,
    "api.outgoing_webhook.disabled.app_error",
    "Outgoing webhooks have been disabled by the system admin.",
)
HOOK_CHANNEL_NOT_PUBLIC = Refusal(
    403,
    "api.outgoing_webhook.disabled.app_error",
    "Outgoing webhooks have been disabled by the system admin.",
)
HOOK_TRIGGERS = Refusal(
    400,
    "api.webhook.create_outgoing.triggers.app_error",
    "Either trigger_words or channel_id must be set.",
)
HOOK_INTERSECTS = Refusal(
    500,
    "api.webhook.create_outgoing.intersect.app_error",
    "Outgoing webhooks from the same channel cannot have the same trigger words/callback URLs.",
)
HOOK_CALLBACK = Refusal(
    400, "model.outgoing_hook.is_valid.callback.app_error", "Invalid callback URLs."
)
HOOK_UNKNOWN = Refusal(404, "app.webhooks.get_outgoing.app_error", "Unable to get the webhook.")

NO_SUCH_PATH = Refusal(404, "api.context.404.app_error", "Sorry, we could not find the page.")
NEEDS_LICENCE = Refusal(
    501, "license_error.feature_unavailable", "This feature is not available without a licence."
)
BODY_TOO_LARGE = Refusal(
    413,
    "api.context.request_body_too_large.app_error",
    "Request body is too large. The allowed size is {limit} bytes.",
)
URL_TOO_LONG = Refusal(
    414, "basic_security_check.url.too_long_error", "The URL of the request is too long."
)
