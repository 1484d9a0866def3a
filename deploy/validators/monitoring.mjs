// ServiceMonitor, PodMonitor and PrometheusRule by the Prometheus operator's own models: `monitoring.mjs FILE`, with the
// objects as a list in JSON. NODE_FOLDER is where the package is installed.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = `${process.env.NODE_FOLDER}/node_modules/@kubernetes-models/prometheus-operator`;
const models = await import(pathToFileURL(`${folder}/monitoring.coreos.com/v1/index.js`));
let count = 0;
for (const object of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  if (object.apiVersion !== "monitoring.coreos.com/v1") continue;
  count += 1;
  try {
    new models[object.kind](object).validate();
  } catch (error) {
    console.error(`${object.kind} ${object.metadata.name}: ${error.message}`);
    process.exitCode = 1;
  }
}
console.log(`${count} objects of the Prometheus operator`);
if (count === 0) process.exitCode = 1;
