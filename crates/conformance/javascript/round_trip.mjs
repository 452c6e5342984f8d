// One send-receive-delete round trip with the AWS SDK for JavaScript. Endpoint, region and keys come from the AWS_*
// variables of the environment, the authority of the server's certificate from NODE_EXTRA_CA_CERTS.

import assert from "node:assert/strict";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

assert.match(process.env.AWS_ENDPOINT_URL ?? "", /^https:/);
const sqs = new SQSClient({ maxAttempts: 1 });
const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "javascript" }));
const MessageAttributes = { a: { DataType: "Binary", BinaryValue: new Uint8Array([0, 1, 255]) } };
const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello", MessageAttributes }));
const { Messages } = await sqs.send(
  new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ["All"] }),
);
assert.equal(Messages.length, 1);
assert.equal(Messages[0].MessageId, sent.MessageId);
assert.equal(Messages[0].Body, "hello");
assert.deepEqual([...Messages[0].MessageAttributes.a.BinaryValue], [0, 1, 255]);
await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
const after = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
assert.equal(after.Messages, undefined);
await assert.rejects(sqs.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}-absent`, MessageBody: "x" })), (error) => {
  // The SDK knows an error by the shape's name in the JSON protocol, or refuses first: either way it has a name.
  assert.ok(["QueueDoesNotExist", "AccessDenied", "AccessDeniedException"].includes(error.name), error.name);
  return true;
});
await sqs.send(new DeleteQueueCommand({ QueueUrl }));
console.log("round trip done");
