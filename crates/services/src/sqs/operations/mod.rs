//! One file per operation, and the table of them.

mod add_permission;
mod cancel_message_move_task;
mod change_message_visibility;
mod change_message_visibility_batch;
mod create_queue;
mod delete_message;
mod delete_message_batch;
mod delete_queue;
mod get_queue_attributes;
mod get_queue_url;
mod list_dead_letter_source_queues;
mod list_message_move_tasks;
mod list_queue_tags;
mod list_queues;
mod move_to_dead_letter_queue;
mod purge_queue;
mod receive_message;
mod remove_permission;
mod send_message;
mod send_message_batch;
mod set_queue_attributes;
mod start_message_move_task;
mod tag_queue;

pub use add_permission::{AddPermission, AddPermissionInput};
pub use cancel_message_move_task::{
    CancelMessageMoveTask, CancelMessageMoveTaskInput, CancelMessageMoveTaskOutput,
};
pub use change_message_visibility::{ChangeMessageVisibility, ChangeMessageVisibilityInput};
pub use change_message_visibility_batch::{
    ChangeMessageVisibilityBatch, ChangeMessageVisibilityBatchInput, ChangeMessageVisibilityBatchOutput,
    ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResultEntry,
};
pub use create_queue::{CreateQueue, CreateQueueInput, CreateQueueOutput};
pub use delete_message::{DeleteMessage, DeleteMessageInput};
pub use delete_message_batch::{
    DeleteMessageBatch, DeleteMessageBatchInput, DeleteMessageBatchOutput, DeleteMessageBatchRequestEntry,
    DeleteMessageBatchResultEntry,
};
pub use delete_queue::{DeleteQueue, DeleteQueueInput};
pub use get_queue_attributes::{GetQueueAttributes, GetQueueAttributesInput, GetQueueAttributesOutput};
pub use get_queue_url::{GetQueueUrl, GetQueueUrlInput, GetQueueUrlOutput};
pub use list_dead_letter_source_queues::{
    ListDeadLetterSourceQueues, ListDeadLetterSourceQueuesInput, ListDeadLetterSourceQueuesOutput,
};
pub use list_message_move_tasks::{
    ListMessageMoveTasks, ListMessageMoveTasksInput, ListMessageMoveTasksOutput,
    ListMessageMoveTasksResultEntry,
};
pub use list_queue_tags::{ListQueueTags, ListQueueTagsInput, ListQueueTagsOutput};
pub use list_queues::{ListQueues, ListQueuesInput, ListQueuesOutput};
pub(super) use move_to_dead_letter_queue::{DeadLetter, DeadLetterMove, MoveToDeadLetterQueue};
pub use purge_queue::{PurgeQueue, PurgeQueueInput};
pub use receive_message::{Message, ReceiveMessage, ReceiveMessageInput, ReceiveMessageOutput};
pub use remove_permission::{RemovePermission, RemovePermissionInput};
pub use send_message::{SendMessage, SendMessageInput, SendMessageOutput};
pub use send_message_batch::{
    SendMessageBatch, SendMessageBatchInput, SendMessageBatchOutput, SendMessageBatchRequestEntry,
    SendMessageBatchResultEntry,
};
pub use set_queue_attributes::{SetQueueAttributes, SetQueueAttributesInput};
pub use start_message_move_task::{
    StartMessageMoveTask, StartMessageMoveTaskInput, StartMessageMoveTaskOutput, Ways,
};
pub use tag_queue::{TagQueue, TagQueueInput, UntagQueue, UntagQueueInput};

use bulla_gate::Endpoint;

/// Everything SQS answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<AddPermission>(),
    Endpoint::of::<CancelMessageMoveTask>(),
    Endpoint::of::<ChangeMessageVisibility>(),
    Endpoint::of::<ChangeMessageVisibilityBatch>(),
    Endpoint::of::<CreateQueue>(),
    Endpoint::of::<DeleteMessage>(),
    Endpoint::of::<DeleteMessageBatch>(),
    Endpoint::of::<DeleteQueue>(),
    Endpoint::of::<GetQueueAttributes>(),
    Endpoint::of::<GetQueueUrl>(),
    Endpoint::of::<ListDeadLetterSourceQueues>(),
    Endpoint::of::<ListMessageMoveTasks>(),
    Endpoint::of::<ListQueueTags>(),
    Endpoint::of::<ListQueues>(),
    Endpoint::of::<PurgeQueue>(),
    Endpoint::of::<ReceiveMessage>(),
    Endpoint::of::<RemovePermission>(),
    Endpoint::of::<SendMessage>(),
    Endpoint::of::<SendMessageBatch>(),
    Endpoint::of::<SetQueueAttributes>(),
    Endpoint::of::<StartMessageMoveTask>(),
    Endpoint::of::<TagQueue>(),
    Endpoint::of::<UntagQueue>(),
];
