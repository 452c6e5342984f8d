#!/usr/bin/env bash
# Start a server, make a queue, send a message, receive it, delete it: with the AWS CLI, over TLS.
set -euo pipefail
source "$(dirname "$0")/../server.sh"
start_server

queue=$(aws sqs create-queue --queue-name hello --query QueueUrl --output text)
echo "queue:    $queue"

id=$(aws sqs send-message --queue-url "$queue" --message-body "hello from the AWS CLI" --query MessageId --output text)
echo "sent:     $id"

read -r received handle body < <(aws sqs receive-message --queue-url "$queue" --wait-time-seconds 5 \
  --query 'Messages[0].[MessageId,ReceiptHandle,Body]' --output text)
echo "received: $received $body"
[ "$received" = "$id" ] && [ "$body" = "hello from the AWS CLI" ]

aws sqs delete-message --queue-url "$queue" --receipt-handle "$handle"
left=$(aws sqs get-queue-attributes --queue-url "$queue" --query Attributes --output text \
  --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible)
[ "$(tr '\t' ' ' <<<"$left")" = "0 0" ]
echo "deleted:  the queue is empty"
