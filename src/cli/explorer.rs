//! The flags of the agent, and what it is opened with.
//!
//! *Invariant:* what can't be opened makes the answer smaller and is said; it never makes a diagnosis fail.

use std::sync::Arc;

use clap::Args;

use super::global::ConnectionArgs;
use super::{incidents, metrics, model};
use crate::act;
use crate::agent::Wishes;
use crate::agent::budget::{Limits, Price};
use crate::agent::pulse::Live;
use crate::config::{self, AgentFlags, Bounded, Money, MoneyLimit, Settings};
use crate::diagnose::{Explorer, Source};
use crate::model::{Ended, Explain, Exploration};

/// How a model is used.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub(super) struct AgentArgs {
    /// Ask this, where a model is configured; it is asked even with `--explain never`
    #[arg(short, long, value_name = "TEXT", value_parser = asked)]
    question: Option<String>,

    /// Use no model, even where one is configured
    #[arg(long, conflicts_with_all = ["question", "model", "check_changes"])]
    no_llm: bool,

    /// The model, of Azure OpenAI the deployment
    #[arg(long, hide_short_help = true, value_name = "NAME")]
    model: Option<String>,

    /// When a model is asked about a case that is clear without one: auto (once, to explain it), always, never; a question is
    /// asked whatever this says [default: auto]
    #[arg(long, hide_short_help = true, value_name = "WHEN")]
    explain: Option<Explain>,

    /// The most calls of tools [default: 20]
    #[arg(long, hide_short_help = true, value_name = "N")]
    max_steps: Option<Bounded<1, 500, 20>>,

    /// The most tokens, sent and received [default: 200000]
    #[arg(long, hide_short_help = true, value_name = "N")]
    max_tokens: Option<Bounded<1000, 100_000_000, 200_000>>,

    /// The longest that the model may take [default: 180]
    #[arg(long, hide_short_help = true, value_name = "SECONDS")]
    max_seconds: Option<Bounded<5, 86_400, 180>>,

    /// The most that it may cost, by the price table of the config file
    #[arg(long, hide_short_help = true, value_name = "AMOUNT")]
    max_cost: Option<MoneyLimit>,

    /// Let the server pretend to make the suggested changes: it wants the right to make them, and calls admission webhooks
    #[arg(long, hide_short_help = true)]
    check_changes: bool,
}

fn amount(money: Money) -> f64 {
    money.millionths as f64 / 1e6
}

/// A question in which something is asked.
fn asked(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("there is nothing in it".to_owned()) } else { Ok(text.to_owned()) }
}

/// An explorer that does not know yet what it explores.
pub(super) struct Opened {
    explorer: Explorer,
    rehearsal: Option<act::Kubectl>,
}

impl Opened {
    /// It, about a cluster or a snapshot.
    pub(super) fn about(mut self, source: &Source) -> Explorer {
        if let Source::Live(connection) = source {
            self.explorer.rehearsal =
                self.rehearsal.map(|kubectl| act::Kubectl { context: connection.context.clone(), ..kubectl });
        }
        self.explorer
    }
}

impl AgentArgs {
    /// What they say of settings.
    pub(super) fn flags(&self) -> AgentFlags {
        AgentFlags {
            model: self.model.clone(),
            max_steps: self.max_steps,
            max_tokens: self.max_tokens,
            max_seconds: self.max_seconds,
            max_cost: self.max_cost,
            explain: self.explain,
        }
    }

    /// What stands in the answer's place where a question was asked and there is no model: why.
    pub(super) fn unanswered(&self, why: &mut Vec<String>) -> Option<Exploration> {
        let question = Some(self.question.clone()?);
        Some(Exploration { question, ended: Ended::ModelFailed, notes: std::mem::take(why), ..Exploration::default() })
    }

    /// Opens the model and what belongs to it; with what did not work, for people.
    pub(super) fn explorer(
        &self,
        settings: &Settings,
        pulse: &Arc<Live>,
        connection: &ConnectionArgs,
    ) -> (Option<Opened>, Vec<String>) {
        if self.no_llm {
            return (None, Vec::new());
        }
        let mut troubles = Vec::new();
        let model = match model::model(settings) {
            Ok(Some(model)) => model,
            Ok(None) => {
                if self.question.is_some() {
                    let why = "no model is configured, so the question is not answered (`kubectl react config` says what is missing)";
                    troubles.push(why.to_owned());
                }
                return (None, troubles);
            }
            Err(error) => {
                troubles.push(format!("the model can't be used: {}", error.told()));
                return (None, troubles);
            }
        };
        let agent = &settings.agent;
        let price = agent.prices.of(&model.identity().model).map(|price| Price {
            input: amount(price.input),
            cached: amount(price.cached_input),
            output: amount(price.output),
        });
        let limits = Limits {
            steps: usize::try_from(agent.max_steps.0).unwrap_or(usize::MAX),
            tokens: agent.max_tokens.0,
            seconds: agent.max_seconds.0,
            cost: agent.max_cost.0.map(amount),
        };
        if limits.cost.is_some() && price.is_none() {
            let name = &model.identity().model;
            troubles.push(format!("`agent.prices` has no price of `{name}`, so `--max-cost` bounds nothing"));
        }
        let incidents = match incidents::store(settings) {
            Ok(store) => Some(store),
            Err(error) => {
                troubles.push(format!("this run is not kept: {}", error.told()));
                None
            }
        };
        let mut opened =
            |name: &str, keys: &str, settings: &config::MetricsSettings| match metrics::server(keys, settings) {
                Ok(server) => server,
                Err(why) => {
                    troubles.push(format!("{name} is not asked: {why}"));
                    None
                }
            };
        let prometheus = opened("Prometheus", "prometheus", &settings.prometheus);
        let alertmanager = opened("Alertmanager", "alertmanager", &settings.alertmanager);
        let explorer = Explorer {
            model,
            wishes: Wishes {
                question: self.question.clone(),
                explain: *agent.explain,
                limits,
                price,
                currency: agent.currency.0.clone(),
            },
            pulse: Arc::clone(pulse),
            incidents,
            prometheus,
            alertmanager,
            rehearsal: None,
        };
        let rehearsal = self.check_changes.then(|| AgentArgs::kubectl(connection, &mut troubles)).flatten();
        (Some(Opened { explorer, rehearsal }), troubles)
    }

    fn kubectl(connection: &ConnectionArgs, troubles: &mut Vec<String>) -> Option<act::Kubectl> {
        let (named, path) = (std::env::var_os("KUBECTL_PATH"), std::env::var_os("PATH"));
        let Some(program) = act::locate(named.as_deref(), path.as_deref()) else {
            troubles.push("suggested changes are not checked: there is no kubectl on the PATH".to_owned());
            return None;
        };
        match act::Kubectl::of(program, &connection.options(), "") {
            Ok(kubectl) => Some(kubectl),
            Err(flag) => {
                troubles.push(format!("suggested changes are not checked: `{flag}` can't be handed on to kubectl"));
                None
            }
        }
    }
}
