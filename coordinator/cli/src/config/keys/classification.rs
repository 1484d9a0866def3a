//! Kinds of work. The original guesses them in three ways that disagree; gitfleet will derive them by rules a reader
//! can check, so models and language services are declined on purpose and the users' own mappings are only waiting.

use super::{Key, Kind};

const MODELS: &str = "kinds of work will come from rules a reader can check, and not from a trained model";
const SERVICES: &str = "gitfleet sends no commit to a language model or any other service";

const ENABLED: Key = Key::inner("enabled", Kind::Switch, "Whether it is used");
const CONFIDENCE: Key = Key::inner("confidence_threshold", Kind::Number, "How sure the guess has to be");
const MIN_CONFIDENCE: Key = Key::inner("min_confidence", Kind::Number, "How sure the guess has to be");
const BATCH: Key = Key::inner("batch_size", Kind::Integer(0, 1_000_000), "Commits per batch");
const CACHING: Key = Key::inner("enable_caching", Kind::Switch, "Whether guesses are kept");
const CACHE_DAYS: Key = Key::inner("cache_duration_days", Kind::Number, "Days guesses are kept");
const TO_RULES: Key = Key::inner("fallback_to_rules", Kind::Switch, "Whether rules help out");

pub(super) const ML_CATEGORIZATION: Key = Key::never(
    "ml_categorization",
    Kind::Section(&[
        ENABLED,
        MIN_CONFIDENCE,
        CONFIDENCE,
        Key::inner("semantic_weight", Kind::Number, "Weight of words"),
        Key::inner("file_pattern_weight", Kind::Number, "Weight of file names"),
        Key::inner("hybrid_threshold", Kind::Number, "When rules win"),
        CACHING,
        CACHE_DAYS,
        BATCH,
        Key::inner("spacy_model", Kind::Text, "Name of the model"),
        Key::inner("model_name", Kind::Text, "Name of the model"),
        Key::inner("cache_predictions", Kind::Switch, "Whether guesses are kept"),
        TO_RULES,
        Key::inner("categories", Kind::Map, "Words by kind of work"),
    ]),
    MODELS,
    "The original's language model",
);

pub(super) const COMMIT_CLASSIFICATION: Key = Key::never(
    "commit_classification",
    Kind::Section(&[
        ENABLED,
        CONFIDENCE,
        BATCH,
        Key::inner("auto_retrain", Kind::Switch, "Whether the model is trained again"),
        Key::inner("retrain_threshold_days", Kind::Number, "Days before it is trained again"),
        Key::inner("model", Kind::Any, "Form of the model"),
        Key::inner("feature_extraction", Kind::Any, "What the model looks at"),
        Key::inner("training", Kind::Any, "How the model is trained"),
        Key::inner("categories", Kind::Map, "Kinds of work and their descriptions"),
    ]),
    MODELS,
    "The original's trained model",
);

pub(super) const LLM_CLASSIFICATION: Key = Key::never(
    "llm_classification",
    Kind::Section(&[
        ENABLED,
        Key::inner("provider", Kind::Choice(&["auto", "openrouter", "bedrock"]), "The service"),
        Key::inner("api_key", Kind::Secret, "Key of the service"),
        Key::inner("api_base_url", Kind::Text, "Address of the service"),
        Key::inner("model", Kind::Text, "Name of the model"),
        Key::inner("aws_region", Kind::Text, "Region"),
        Key::inner("aws_profile", Kind::Text, "Account"),
        Key::inner("bedrock_model_id", Kind::Text, "Name of the model"),
        CONFIDENCE,
        Key::inner("max_tokens", Kind::Integer(0, 1_000_000), "Length of an answer"),
        Key::inner("temperature", Kind::Number, "How much chance is in an answer"),
        Key::inner("timeout_seconds", Kind::Number, "Seconds a request may take"),
        CACHE_DAYS,
        CACHING,
        Key::inner("max_daily_requests", Kind::Integer(0, 1_000_000_000), "Requests per day"),
        Key::inner("domain_terms", Kind::Map, "Words by kind of work"),
        TO_RULES,
        Key::inner("fallback_to_ml", Kind::Switch, "Whether the trained model helps out"),
    ]),
    SERVICES,
    "The original's language service",
);

pub(super) const QUALITATIVE: Key = Key::never(
    "qualitative",
    Kind::Section(&[
        ENABLED,
        BATCH,
        CONFIDENCE,
        Key::inner("max_llm_fallback_pct", Kind::Number, "Share sent to the service"),
        Key::inner("enable_performance_tracking", Kind::Switch, "Whether time is measured"),
        Key::inner("target_processing_time_ms", Kind::Number, "Time per commit aimed at"),
        Key::inner("min_overall_confidence", Kind::Number, "How sure the guess has to be"),
        Key::inner("enable_quality_feedback", Kind::Switch, "Whether guesses are judged"),
        Key::inner("nlp", Kind::Any, "The language model"),
        Key::inner("llm", Kind::Any, "The language service"),
        Key::inner("cost_tracking", Kind::Any, "Budget of the language service"),
        Key::inner("cache", Kind::Any, "Guesses that are kept"),
        Key::inner("provider", Kind::Text, "Name of the language service"),
        Key::inner("openrouter", Kind::Any, "The language service"),
        Key::inner("bedrock", Kind::Any, "The language service"),
    ]),
    SERVICES,
    "The original's reading of messages",
);

pub(super) const CHATGPT: Key =
    Key::never("chatgpt", Kind::Any, SERVICES, "The original's summary by a language service");
