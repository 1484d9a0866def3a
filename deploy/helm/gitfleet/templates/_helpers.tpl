{{/* The name of everything in a release. */}}
{{- define "gitfleet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What never changes in the life of a release: (list . "component") */}}
{{- define "gitfleet.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "gitfleet.labels" -}}
{{- $root := index . 0 -}}
{{ include "gitfleet.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "gitfleet.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{- printf "%s:%s@%s" .Values.image.repository $tag .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "gitfleet.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "gitfleet.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Refuses what would be found out too late. */}}
{{- define "gitfleet.check" -}}
{{- $fleet := default dict .Values.config.fleet -}}
{{- range $key := list "database_url" "broker_url" "cache_url" "token" "metrics_token" -}}
{{- if hasKey $fleet $key -}}
{{- fail (printf "config.fleet.%s is a secret: put it into a Secret and name that in `secrets`" $key) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default dict .Values.config.github) "token" -}}
{{- fail "config.github.token is a secret: put it into a Secret and name that in `secrets.github`" -}}
{{- end -}}
{{- if hasKey (default dict .Values.config.sources) "proxy" -}}
{{- fail "config.sources.proxy may hold a password: give it to workers as GITFLEET_SOURCE_PROXY_FILE" -}}
{{- end -}}
{{- range $one := default list .Values.config.credentials -}}
{{- if hasKey $one "token" -}}
{{- fail "the token of config.credentials is a secret: put it into the Secret of `secrets.git` and name its token_file" -}}
{{- end -}}
{{- end -}}
{{- $longest := add .Values.worker.jobSeconds .Values.worker.graceSeconds -}}
{{- if ge (mul 2 $longest) (int64 .Values.worker.brokerConsumerTimeoutSeconds) -}}
{{- fail "worker.jobSeconds and worker.graceSeconds together must be less than half of worker.brokerConsumerTimeoutSeconds" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and (eq .Values.autoscaling.kind "hpa") (lt (int .Values.autoscaling.minReplicas) 1) -}}
{{- fail "an HPA cannot go down to 0: autoscaling.minReplicas must be 1 or more, or autoscaling.kind keda" -}}
{{- end -}}
{{- end -}}

{{/* gitfleet.yaml: what `config` says, and what the chart adds to its sections fleet and sources. */}}
{{- define "gitfleet.config" -}}
{{- $fleet := dict
  "consumer_timeout_seconds" (int64 .Values.worker.brokerConsumerTimeoutSeconds)
  "job_seconds" (int64 .Values.worker.jobSeconds)
  "grace_seconds" (int64 .Values.worker.graceSeconds)
  "mirror_mib" (int64 (div .Values.worker.mirrorMib 2)) -}}
{{- if ne .Values.autoscaling.kind "none" -}}
{{- $fleet = merge $fleet (dict
  "target_drain_seconds" (int64 .Values.autoscaling.targetDrainSeconds)
  "min_workers" (int64 .Values.autoscaling.minReplicas)
  "max_workers" (int64 .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- $fleet = mergeOverwrite $fleet (default dict .Values.config.fleet) -}}
{{- $more := dict "fleet" $fleet -}}
{{- with .Values.networkPolicy.git.internal -}}
{{- $sources := dict "private_addresses" . -}}
{{- $_ := set $more "sources" (mergeOverwrite $sources (default dict $.Values.config.sources)) -}}
{{- end -}}
{{- toYaml (mergeOverwrite (dict) .Values.config $more) -}}
{{- end -}}

{{/* The secrets of a role as files in one folder: (list . "store" "broker" ...) */}}
{{- define "gitfleet.secretsVolume" -}}
{{- $root := index . 0 -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
{{- range $one := rest . }}
{{- with index $root.Values.secrets $one }}
{{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items: [{ key: {{ .key | quote }}, path: {{ $one }} }]
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The variables that name those files: (list . "store" "broker" ...) */}}
{{- define "gitfleet.secretsEnvironment" -}}
{{- $root := index . 0 -}}
{{- $variables := dict
  "store" "GITFLEET_DATABASE_URL_FILE"
  "broker" "GITFLEET_BROKER_URL_FILE"
  "cache" "GITFLEET_CACHE_URL_FILE"
  "token" "GITFLEET_API_TOKEN_FILE"
  "metrics" "GITFLEET_METRICS_TOKEN_FILE"
  "github" "GITFLEET_GITHUB_TOKEN_FILE"
  "cacheKeys" "GITFLEET_CACHE_KEYS_FILE"
  "erasureKey" "GITFLEET_ERASURE_KEY_FILE"
  "ca" "GITFLEET_CA_FILE" -}}
{{- range $one := rest . }}
{{- if (index $root.Values.secrets $one).existingSecret }}
- name: {{ index $variables $one }}
  value: /run/secrets/gitfleet/{{ $one }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Pods by the restricted profile of the pod security standards. */}}
{{- define "gitfleet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "gitfleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* /livez and /readyz at a port: (list "api") */}}
{{- define "gitfleet.probes" -}}
{{- $port := index . 0 -}}
# Two minutes to start: it waits for servers that are not up yet.
startupProbe:
  httpGet: { path: /livez, port: {{ $port }} }
  periodSeconds: 2
  failureThreshold: 60
# Alive is who answers. It says nothing of servers, or an outage of one of them would restart everything.
livenessProbe:
  httpGet: { path: /livez, port: {{ $port }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: {{ $port }} }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{/* One pod per node and zone as far as that goes: (list . "component") */}}
{{- define "gitfleet.spread" -}}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "gitfleet.selector" $ | nindent 8 }}
{{- end }}
{{- end -}}
