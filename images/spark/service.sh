#!/bin/sh
# One part of Spark in a container: spark-service master|worker|connect
set -eu
role=${1:?master, worker or connect}
export SPARK_NO_DAEMONIZE=true SPARK_CONF_DIR=/opt/spark/conf SPARK_LOCAL_DIRS=/var/spark/local
# It is for clients: a server that has it leaves Spark's own SQL out of its class path.
unset SPARK_REMOTE
master=spark://spark-master:7077
options=${SPARK_JAVA_OPTIONS:-}

case $role in
master)
  export SPARK_DAEMON_MEMORY=256m SPARK_DAEMON_JAVA_OPTS="$options -Dspark.deploy.recoveryDirectory=/var/spark/recovery"
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.master.Master \
    --host "$(hostname)" --port 7077 --webui-port 8080
  ;;
worker)
  export SPARK_DAEMON_MEMORY=256m SPARK_DAEMON_JAVA_OPTS="$options"
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.worker.Worker \
    --cores "$SPARK_WORKER_CORES" --memory "$SPARK_EXECUTOR_MEMORY" --webui-port 8081 --work-dir /var/spark/work "$master"
  ;;
connect)
  # What s3a reads; without an endpoint it is AWS, without keys the instance's role.
  export AWS_REGION="$S3_REGION"
  if [ -n "${S3_ENDPOINT:-}" ]; then export AWS_ENDPOINT_URL="$S3_ENDPOINT"; fi
  if [ -n "${S3_ACCESS_KEY:-}" ]; then
    export AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET_KEY"
  fi
  exec /opt/spark/bin/spark-submit --master "$master" \
    --class org.apache.spark.sql.connect.service.SparkConnectServer --name boxoffice \
    --driver-memory "$SPARK_DRIVER_MEMORY" --driver-java-options "$options" \
    --executor-memory "$SPARK_EXECUTOR_MEMORY" --conf "spark.executor.extraJavaOptions=${SPARK_EXECUTOR_JAVA_OPTIONS:-}" \
    --conf "spark.driver.host=$(hostname)" --conf spark.driver.bindAddress=0.0.0.0 \
    --conf spark.connect.grpc.binding.address=0.0.0.0 --conf spark.connect.grpc.binding.port=15002 \
    spark-internal
  ;;
*)
  echo "spark-service: expected master, worker or connect, not '$role'" >&2
  exit 2
  ;;
esac
