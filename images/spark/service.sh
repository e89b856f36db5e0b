#!/bin/sh
# One part of Spark in a container: spark-service master|worker|connect
set -eu
role=${1:?master, worker or connect}
export SPARK_NO_DAEMONIZE=true SPARK_CONF_DIR=/opt/spark/conf
master=spark://spark-master:7077
options=${SPARK_JAVA_OPTIONS:-}

case $role in
master)
  export SPARK_DAEMON_MEMORY="${SPARK_DAEMON_MEMORY:-256m}" SPARK_DAEMON_JAVA_OPTS="$options"
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.master.Master \
    --host "$(hostname)" --port 7077 --webui-port 8080
  ;;
worker)
  export SPARK_DAEMON_MEMORY="${SPARK_DAEMON_MEMORY:-256m}" SPARK_DAEMON_JAVA_OPTS="$options"
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.worker.Worker \
    --cores "$SPARK_WORKER_CORES" --memory "$SPARK_WORKER_MEMORY" --webui-port 8081 --work-dir /tmp/work "$master"
  ;;
connect)
  # What s3a reads; without an endpoint it is AWS, without keys the instance's role.
  export AWS_REGION="$S3_REGION"
  if [ -n "${S3_ENDPOINT:-}" ]; then export AWS_ENDPOINT_URL="$S3_ENDPOINT"; fi
  if [ -n "${S3_ACCESS_KEY:-}" ]; then
    export AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET_KEY"
  fi
  # The server refuses to start as its own client.
  unset SPARK_REMOTE
  exec /opt/spark/bin/spark-submit --master "$master" \
    --class org.apache.spark.sql.connect.service.SparkConnectServer --name boxoffice \
    --driver-memory "${SPARK_CONNECT_MEMORY:-768m}" --driver-java-options "$options" \
    --conf "spark.executor.extraJavaOptions=$options" \
    --conf "spark.driver.host=$(hostname)" --conf spark.driver.bindAddress=0.0.0.0 \
    --conf spark.connect.grpc.binding.address=0.0.0.0 --conf spark.connect.grpc.binding.port=15002 \
    --conf spark.local.dir=/tmp/local spark-internal
  ;;
*)
  echo "spark-service: expected master, worker or connect, not '$role'" >&2
  exit 2
  ;;
esac
