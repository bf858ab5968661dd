//! One file for each fault. To add one: a file, its `mod` line, its line in [`DETECTORS`].
//!
//! *Invariant:* file name, module and id are the same word; the list is sorted by id.

use super::Detector;

mod account_token_missing;
mod admission_policy_denied;
mod api_service_unavailable;
mod call_to_unknown_service;
mod call_to_wrong_namespace;
mod call_to_wrong_port;
mod certificate_expired;
mod certificate_expires;
mod certificate_wrong_name;
mod claim_class_missing;
mod claim_in_use;
mod claim_lost;
mod claim_missing;
mod claim_no_class;
mod claim_no_volume;
mod claim_not_provisioned;
mod claim_resize_stuck;
mod claim_terminating;
mod claim_unbound;
mod command_not_executable;
mod command_not_found;
mod config_key_missing;
mod config_map_missing;
mod config_not_reloaded;
mod container_create_failed;
mod container_creating_stuck;
mod container_exits;
mod control_plane_lease_expired;
mod conversion_webhook_unreachable;
mod crd_not_established;
mod create_forbidden;
mod cron_job_blocked;
mod cron_job_never_fires;
mod cron_job_suspended;
mod custom_not_ready;
mod daemon_set_no_node;
mod dependency_auth_failed;
mod dependency_name_unknown;
mod dependency_refused;
mod disk_full;
mod dns_down;
mod dns_policy_wrong;
mod endpoints_missing;
mod endpoints_stale;
mod env_missing;
mod exec_format_error;
mod exits_zero;
mod external_name_loop;
mod external_name_unknown;
mod file_missing;
mod file_permission_denied;
mod gateway_not_programmed;
mod governing_service_missing;
mod hook_fails;
mod host_port_taken;
mod hpa_at_maximum;
mod hpa_no_metrics;
mod hpa_overlap;
mod hpa_target_missing;
mod image_name_invalid;
mod image_never_pulled;
mod image_not_found;
mod image_pull_failed;
mod image_pull_unauthorized;
mod image_registry_unreachable;
mod image_wrong_platform;
mod ingress_backend_missing;
mod ingress_class_missing;
mod ingress_no_endpoints;
mod ingress_path_conflict;
mod ingress_port_missing;
mod ingress_tls_host_mismatch;
mod ingress_tls_missing;
mod init_container_waits;
mod insufficient_resources;
mod internal_traffic_policy_local;
mod job_failed;
mod job_held_open;
mod kubelet_version_skew;
mod lease_holder_gone;
mod limit_range_violated;
mod liveness_probe_fails;
mod load_balancer_pending;
mod memory_exhausted;
mod memory_unit_wrong;
mod mount_type_mismatch;
mod namespace_terminating;
mod network_policy_blocks_dns;
mod network_policy_isolates;
mod no_ready_node;
mod node_name_missing;
mod node_network_unavailable;
mod node_not_ready;
mod node_pressure;
mod node_problem;
mod node_selector_unmatched;
mod nodes_cordoned;
mod non_root_refused;
mod object_finalizer_stuck;
mod oom_killed;
mod pdb_blocks_eviction;
mod pdb_overlap;
mod pdb_selects_nothing;
mod peers_not_published;
mod pod_affinity_unmatched;
mod pod_anti_affinity_full;
mod pod_create_refused;
mod pod_evicted;
mod pod_not_accepted;
mod pod_outdated;
mod pod_rejected;
mod pod_security_violated;
mod pod_terminating;
mod port_in_use;
mod priority_class_missing;
mod quota_exceeded;
mod quota_needs_requests;
mod rbac_denied;
mod read_only_root;
mod readiness_gate_unmet;
mod readiness_probe_fails;
mod replicas_missing;
mod rollout_paused;
mod rollout_stuck;
mod route_backend_missing;
mod route_parent_missing;
mod route_references_refused;
mod runtime_class_missing;
mod scheduler_missing;
mod scheduling_gated;
mod secret_missing;
mod service_account_missing;
mod service_link_clash;
mod service_no_endpoints;
mod service_scaled_to_zero;
mod service_selects_nothing;
mod service_selects_too_much;
mod spread_impossible;
mod startup_probe_fails;
mod stateful_set_blocked;
mod subpath_failed;
mod taint_not_tolerated;
mod target_port_wrong;
mod tls_failed;
mod unschedulable;
mod update_held_back;
mod variable_not_expanded;
mod volume_attach_failed;
mod volume_attached_elsewhere;
mod volume_failed;
mod volume_limit_reached;
mod volume_mount_failed;
mod volume_node_conflict;
mod volume_released;
mod volume_terminating;
mod webhook_denied;
mod webhook_failing;
mod webhook_unreachable;
mod workload_identity_missing;
mod wrong_mount_path;

/// All detectors, sorted by id.
pub(super) const DETECTORS: &[&Detector] = &[
    &account_token_missing::DETECTOR,
    &admission_policy_denied::DETECTOR,
    &api_service_unavailable::DETECTOR,
    &call_to_unknown_service::DETECTOR,
    &call_to_wrong_namespace::DETECTOR,
    &call_to_wrong_port::DETECTOR,
    &certificate_expired::DETECTOR,
    &certificate_expires::DETECTOR,
    &certificate_wrong_name::DETECTOR,
    &claim_class_missing::DETECTOR,
    &claim_in_use::DETECTOR,
    &claim_lost::DETECTOR,
    &claim_missing::DETECTOR,
    &claim_no_class::DETECTOR,
    &claim_no_volume::DETECTOR,
    &claim_not_provisioned::DETECTOR,
    &claim_resize_stuck::DETECTOR,
    &claim_terminating::DETECTOR,
    &claim_unbound::DETECTOR,
    &command_not_executable::DETECTOR,
    &command_not_found::DETECTOR,
    &config_key_missing::DETECTOR,
    &config_map_missing::DETECTOR,
    &config_not_reloaded::DETECTOR,
    &container_create_failed::DETECTOR,
    &container_creating_stuck::DETECTOR,
    &container_exits::DETECTOR,
    &control_plane_lease_expired::DETECTOR,
    &conversion_webhook_unreachable::DETECTOR,
    &crd_not_established::DETECTOR,
    &create_forbidden::DETECTOR,
    &cron_job_blocked::DETECTOR,
    &cron_job_never_fires::DETECTOR,
    &cron_job_suspended::DETECTOR,
    &custom_not_ready::DETECTOR,
    &daemon_set_no_node::DETECTOR,
    &dependency_auth_failed::DETECTOR,
    &dependency_name_unknown::DETECTOR,
    &dependency_refused::DETECTOR,
    &disk_full::DETECTOR,
    &dns_down::DETECTOR,
    &dns_policy_wrong::DETECTOR,
    &endpoints_missing::DETECTOR,
    &endpoints_stale::DETECTOR,
    &env_missing::DETECTOR,
    &exec_format_error::DETECTOR,
    &exits_zero::DETECTOR,
    &external_name_loop::DETECTOR,
    &external_name_unknown::DETECTOR,
    &file_missing::DETECTOR,
    &file_permission_denied::DETECTOR,
    &gateway_not_programmed::DETECTOR,
    &governing_service_missing::DETECTOR,
    &hook_fails::DETECTOR,
    &host_port_taken::DETECTOR,
    &hpa_at_maximum::DETECTOR,
    &hpa_no_metrics::DETECTOR,
    &hpa_overlap::DETECTOR,
    &hpa_target_missing::DETECTOR,
    &image_name_invalid::DETECTOR,
    &image_never_pulled::DETECTOR,
    &image_not_found::DETECTOR,
    &image_pull_failed::DETECTOR,
    &image_pull_unauthorized::DETECTOR,
    &image_registry_unreachable::DETECTOR,
    &image_wrong_platform::DETECTOR,
    &ingress_backend_missing::DETECTOR,
    &ingress_class_missing::DETECTOR,
    &ingress_no_endpoints::DETECTOR,
    &ingress_path_conflict::DETECTOR,
    &ingress_port_missing::DETECTOR,
    &ingress_tls_host_mismatch::DETECTOR,
    &ingress_tls_missing::DETECTOR,
    &init_container_waits::DETECTOR,
    &insufficient_resources::DETECTOR,
    &internal_traffic_policy_local::DETECTOR,
    &job_failed::DETECTOR,
    &job_held_open::DETECTOR,
    &kubelet_version_skew::DETECTOR,
    &lease_holder_gone::DETECTOR,
    &limit_range_violated::DETECTOR,
    &liveness_probe_fails::DETECTOR,
    &load_balancer_pending::DETECTOR,
    &memory_exhausted::DETECTOR,
    &memory_unit_wrong::DETECTOR,
    &mount_type_mismatch::DETECTOR,
    &namespace_terminating::DETECTOR,
    &network_policy_blocks_dns::DETECTOR,
    &network_policy_isolates::DETECTOR,
    &no_ready_node::DETECTOR,
    &node_name_missing::DETECTOR,
    &node_network_unavailable::DETECTOR,
    &node_not_ready::DETECTOR,
    &node_pressure::DETECTOR,
    &node_problem::DETECTOR,
    &node_selector_unmatched::DETECTOR,
    &nodes_cordoned::DETECTOR,
    &non_root_refused::DETECTOR,
    &object_finalizer_stuck::DETECTOR,
    &oom_killed::DETECTOR,
    &pdb_blocks_eviction::DETECTOR,
    &pdb_overlap::DETECTOR,
    &pdb_selects_nothing::DETECTOR,
    &peers_not_published::DETECTOR,
    &pod_affinity_unmatched::DETECTOR,
    &pod_anti_affinity_full::DETECTOR,
    &pod_create_refused::DETECTOR,
    &pod_evicted::DETECTOR,
    &pod_not_accepted::DETECTOR,
    &pod_outdated::DETECTOR,
    &pod_rejected::DETECTOR,
    &pod_security_violated::DETECTOR,
    &pod_terminating::DETECTOR,
    &port_in_use::DETECTOR,
    &priority_class_missing::DETECTOR,
    &quota_exceeded::DETECTOR,
    &quota_needs_requests::DETECTOR,
    &rbac_denied::DETECTOR,
    &read_only_root::DETECTOR,
    &readiness_gate_unmet::DETECTOR,
    &readiness_probe_fails::DETECTOR,
    &replicas_missing::DETECTOR,
    &rollout_paused::DETECTOR,
    &rollout_stuck::DETECTOR,
    &route_backend_missing::DETECTOR,
    &route_parent_missing::DETECTOR,
    &route_references_refused::DETECTOR,
    &runtime_class_missing::DETECTOR,
    &scheduler_missing::DETECTOR,
    &scheduling_gated::DETECTOR,
    &secret_missing::DETECTOR,
    &service_account_missing::DETECTOR,
    &service_link_clash::DETECTOR,
    &service_no_endpoints::DETECTOR,
    &service_scaled_to_zero::DETECTOR,
    &service_selects_nothing::DETECTOR,
    &service_selects_too_much::DETECTOR,
    &spread_impossible::DETECTOR,
    &startup_probe_fails::DETECTOR,
    &stateful_set_blocked::DETECTOR,
    &subpath_failed::DETECTOR,
    &taint_not_tolerated::DETECTOR,
    &target_port_wrong::DETECTOR,
    &tls_failed::DETECTOR,
    &unschedulable::DETECTOR,
    &update_held_back::DETECTOR,
    &variable_not_expanded::DETECTOR,
    &volume_attach_failed::DETECTOR,
    &volume_attached_elsewhere::DETECTOR,
    &volume_failed::DETECTOR,
    &volume_limit_reached::DETECTOR,
    &volume_mount_failed::DETECTOR,
    &volume_node_conflict::DETECTOR,
    &volume_released::DETECTOR,
    &volume_terminating::DETECTOR,
    &webhook_denied::DETECTOR,
    &webhook_failing::DETECTOR,
    &webhook_unreachable::DETECTOR,
    &workload_identity_missing::DETECTOR,
    &wrong_mount_path::DETECTOR,
];
