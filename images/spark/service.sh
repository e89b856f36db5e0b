#!/bin/sh
# One part of Spark in a container: spark-service master|worker|connect
set -eu
role=${1:?master, worker or connect}
if [ -z "${SPARK_SECRET:-}" ]; then
  echo "spark-service: SPARK_SECRET is not set. All parts of one Spark have the same: that of the master's host, in its .env.secrets" >&2
  exit 2
fi
export SPARK_NO_DAEMONIZE=true SPARK_LOCAL_DIRS=/var/spark/local
# In a file: arguments can be read by whoever sees the process.
export SPARK_CONF_DIR=/tmp/spark-conf
umask 077
mkdir -p "$SPARK_CONF_DIR"
{
  cat /opt/spark/conf/spark-defaults.conf
  echo "spark.authenticate true"
  echo "spark.authenticate.secret $SPARK_SECRET"
} >"$SPARK_CONF_DIR/spark-defaults.conf"
# It is for clients: a server that has it leaves Spark's own SQL out of its class path.
unset SPARK_REMOTE SPARK_SECRET
# Names, which lead to other addresses on other hosts.
master=spark://spark-master:$SPARK_MASTER_PORT
options=${SPARK_JAVA_OPTIONS:-}

case $role in
master)
  export SPARK_DAEMON_MEMORY=256m SPARK_DAEMON_JAVA_OPTS="$options -Dspark.deploy.recoveryDirectory=/var/spark/recovery"
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.master.Master \
    --host spark-master --port "$SPARK_MASTER_PORT" --webui-port 8080
  ;;
worker)
  export SPARK_DAEMON_MEMORY=256m SPARK_DAEMON_JAVA_OPTS="$options"
  # Others reach it by the address from which it reaches the master, or by the name that is given.
  host=${SPARK_WORKER_HOST:-$(/opt/boxoffice/spark-address spark-master)}
  # Without a number: all that the machine has.
  exec /opt/spark/bin/spark-class org.apache.spark.deploy.worker.Worker --host "$host" \
    ${SPARK_WORKER_CORES:+--cores "$SPARK_WORKER_CORES"} ${SPARK_EXECUTOR_MEMORY:+--memory "$SPARK_EXECUTOR_MEMORY"} \
    --webui-port "${SPARK_WORKER_UI_PORT:-8081}" --work-dir /var/spark/work "$master"
  ;;
connect)
  # What s3a reads; without an endpoint it is AWS, without keys the instance's role.
  export AWS_REGION="$S3_REGION"
  if [ -n "${S3_ENDPOINT:-}" ]; then export AWS_ENDPOINT_URL="$S3_ENDPOINT"; fi
  if [ -n "${S3_ACCESS_KEY:-}" ]; then
    export AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET_KEY"
  fi
  /opt/boxoffice/spark-await-master
  exec /opt/spark/bin/spark-submit --master "$master" \
    --class org.apache.spark.sql.connect.service.SparkConnectServer --name boxoffice \
    --driver-memory "$SPARK_DRIVER_MEMORY" --driver-java-options "$options" \
    --executor-memory "$SPARK_EXECUTOR_MEMORY" --conf "spark.executor.extraJavaOptions=${SPARK_EXECUTOR_JAVA_OPTIONS:-}" \
    --conf spark.driver.host=spark-connect --conf spark.driver.bindAddress=0.0.0.0 \
    --conf "spark.driver.port=$SPARK_DRIVER_PORT" --conf "spark.driver.blockManager.port=$SPARK_DRIVER_BLOCK_PORT" \
    --conf "spark.blockManager.port=$SPARK_EXECUTOR_PORT" \
    --conf spark.connect.grpc.binding.address=0.0.0.0 --conf spark.connect.grpc.binding.port=15002 \
    spark-internal
  ;;
*)
  echo "spark-service: expected master, worker or connect, not '$role'" >&2
  exit 2
  ;;
esac
