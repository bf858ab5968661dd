//! How much a model can hold, by its name.
//!
//! *Invariant:* a guess for want of better: `model.window` beats it, and a server that names its window too.

/// Where nothing is known: small enough for most.
const UNKNOWN: u32 = 16_384;

/// Beginnings of names, and tokens; the longest beginning counts. From the vendors' pages of models, November 2026.
const WINDOWS: &[(&str, u32)] = &[
    ("claude", 200_000),
    ("codestral", 256_000),
    ("deepseek", 128_000),
    ("gemini", 1_000_000),
    ("gemma-3", 32_768),
    ("gemma2", 8192),
    ("gemma3", 32_768),
    ("gpt-3.5", 16_385),
    ("gpt-35", 16_385),
    ("gpt-4", 8192),
    ("gpt-4-32k", 32_768),
    ("gpt-4-turbo", 128_000),
    ("gpt-4.1", 1_047_576),
    ("gpt-4o", 128_000),
    ("gpt-5", 400_000),
    ("gpt-oss", 131_072),
    ("llama-3.1", 131_072),
    ("llama-3.2", 131_072),
    ("llama-3.3", 131_072),
    ("llama-4", 131_072),
    ("llama3", 8192),
    ("llama3.1", 131_072),
    ("llama3.2", 131_072),
    ("llama3.3", 131_072),
    ("llama4", 131_072),
    ("mistral", 32_768),
    ("mistral-large", 128_000),
    ("mistral-small", 128_000),
    ("mixtral", 32_768),
    ("o1", 200_000),
    ("o1-mini", 128_000),
    ("o3", 200_000),
    ("o4", 200_000),
    ("phi-3", 128_000),
    ("phi-4", 16_384),
    ("qwen2.5", 32_768),
    ("qwen3", 32_768),
];

/// Tokens that the model of this name holds, question and answer together; 16,384 where that is not known.
pub fn window(model: &str) -> u32 {
    let name = bare(model);
    let known = WINDOWS.iter().filter(|(prefix, _)| name.starts_with(prefix));
    known.max_by_key(|(prefix, _)| prefix.len()).map_or(UNKNOWN, |(_, tokens)| *tokens)
}

/// Whether it is a model that reasons, and refuses some parameters of the others.
pub(super) fn reasons(model: &str) -> bool {
    let name = bare(model);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|prefix| name.starts_with(prefix)) && !name.contains("chat")
}

/// The name without its vendor: `openai/gpt-4o`, `Meta-Llama-3.1-8B`.
fn bare(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    name.strip_prefix("meta-").map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_by_name() {
        let table = [
            ("gpt-4o-mini-2024-07-18", 128_000),
            ("gpt-4.1-nano", 1_047_576),
            ("gpt-4", 8192),
            ("gpt-5.1", 400_000),
            ("o3-mini", 200_000),
            ("o1-mini", 128_000),
            ("llama3:8b", 8192),
            ("llama3.1:70b", 131_072),
            ("meta-llama/Meta-Llama-3.1-8B-Instruct", 131_072),
            ("openai/gpt-4o", 128_000),
            ("our-deployment", UNKNOWN),
            ("", UNKNOWN),
        ];
        for (name, tokens) in table {
            assert_eq!(window(name), tokens, "{name}");
        }
        assert!(reasons("o3-mini") && reasons("gpt-5") && !reasons("gpt-4o") && !reasons("gpt-5-chat-latest"));
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(WINDOWS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
