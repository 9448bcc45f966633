//! What the store does, whatever database is below.
//!
//! The cases are functions over a fresh database; `suite!` expands all of them for a backend. What is about one
//! backend alone has a module of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic, and so may what it calls")]

mod backend;
mod counts;
mod downgrading;
mod experiments;
mod files;
mod filters;
mod interrupted;
mod isolation;
mod lineage;
mod lists;
mod locating;
mod metadata;
mod opening;
mod pages;
mod pipelines;
mod plans;
mod progress;
mod quotas;
mod random_lists;
mod raw;
mod reading;
mod recording;
mod recurring_runs;
mod reports;
mod retention;
mod runs;
mod schedules;
mod servers;
mod specs;
mod sqlite_file;
mod texts;
mod tokens;
mod upgrading;
mod versions;
mod watching;
mod writers;

macro_rules! expand {
    ($backend:ident; $($module:ident: $($case:ident),+;)+) => {
        mod $backend {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    match crate::backend::$backend().await {
                        Ok(db) => crate::$module::$case(db).await,
                        Err(why) => println!("skipped: {why}"),
                    }
                }
            )+}
        )+}
    };
}

macro_rules! suite {
    ($backend:ident) => {
        expand! { $backend;
            counts: equal_what_is_counted, hold_when_many_write, say_what_a_namespace_uses;
            downgrading: goes_back_to_nothing;
            experiments: are_read_back, names_are_unique_in_a_home, archiving_takes_the_runs_along, deleting_leaves_the_runs,
                remember_their_last_run, default_is_made_once;
            files: are_of_a_task_by_id_or_name, are_settled_with_the_task_or_the_run;
            filters: compare_text, compare_moments_by_the_second, compare_states, take_characters_literally,
                must_all_hold, refuse_what_makes_no_sense, reach_all_keys_of_all_lists,
                find_tags;
            isolation: of_reads, of_writes, of_lists, of_progress, of_tasks, of_grants_for_one_object, of_grants_for_one_pipeline,
                of_shared_pipelines;
            lineage: lists_the_artifacts_of_a_namespace, finds_what_has_made_an_artifact, follows_links_within_a_namespace,
                tells_tasks_with_what_goes_in_and_out, goes_with_its_run;
            lists: sort_both_ways_by_every_key, default_to_the_oldest_first, refuse_unknown_orders,
                are_of_an_experiment_or_of_everything, bring_tasks;
            locating: finds_every_kind_anywhere;
            metadata: is_there_with_its_rows, changes_with_its_rows, stays_in_its_namespace, goes_with_its_run,
                has_what_was_recorded, comes_in_pages, has_tokens_of_one_list;
            pages: of_runs_with_many_tasks_are_short, cross_ties, count_all_rows, have_bounds, stay_put_while_rows_come_and_go, tokens_cannot_be_made_up,
                tokens_belong_to_their_list, tokens_outlive_the_server;
            pipelines: are_read_back, names_are_unique_in_a_home, change_display_name_and_tags,
                are_deleted_with_their_versions_or_without;
            plans: go_by_indexes;
            progress: is_written_whole, keeps_a_run_canceling_until_it_ends, of_a_deleted_run_is_not_found,
                updates_tasks, finds_what_has_not_ended, goes_on_after_an_end, is_a_step_whoever_makes_it;
            quotas: refuse_one_too_many_until_one_is_deleted, hold_when_many_ask_at_once, count_a_run_that_goes_on,
                hold_when_many_retry_at_once, are_of_each_namespace, stand_back_behind_what_is_there,
                take_up_what_another_engine_reports;
            reading: shows_every_write_at_once, never_goes_back;
            reports: never_touch_runs_of_this_server, metrics_are_stored_once, tasks_belong_to_their_run,
                a_chosen_id_is_taken_once, only_failed_runs_are_retried, take_up_runs_of_a_schedule_kept_elsewhere,
                a_recurring_run_has_one_run_of_a_name, metrics_order_runs;
            recording: tells_what_was_recorded, never_touches_runs_of_this_server, is_no_result_for_anybody,
                makes_no_file_readable, stays_in_its_namespace;
            random_lists: agree_with_a_naive_evaluator, give_each_row_once_while_others_come_and_go;
            recurring_runs: are_read_back, need_an_experiment_of_their_namespace, are_enabled_and_disabled,
                are_disabled_with_their_experiment, are_deleted_without_their_runs, are_listed_by_experiment_or_all;
            retention: is_by_age_and_count_and_never_of_what_runs, deletes_what_a_client_would;
            runs: are_read_back, need_an_experiment_of_their_namespace, are_archived_alone,
                stay_archived_with_their_experiment, are_deleted_with_their_tasks, are_terminated_once;
            schedules: are_looked_at_when_they_are_due, are_written_together, make_one_run_of_a_moment,
                wait_until_a_run_has_ended, are_decided_by_the_one_that_leads, tell_what_has_come_of_moments,
                show_what_keeps_them_from_firing, leave_nothing_behind_without_room, are_fired_for_somebody_besides, stay_in_their_namespace;
            specs: go_with_the_last_that_refers_to_them, come_with_short_lists_if_nothing_else_has_them,
                are_there_whoever_else_lets_go_of_them, in_memory_are_of_one_namespace;
            texts: differ_if_their_bytes_do, are_kept_to_the_letter;
            tokens: are_found_by_their_secret, are_revoked_once, are_refused_by_shape, go_with_what_they_were_made_with,
                are_known_to_those_who_may_know_of_them, keep_how_far_they_reach;
            versions: are_read_back, names_are_unique_in_a_pipeline, latest_goes_by_time_then_id, are_changed_and_deleted;
            watching: see_each_change_once_in_parts, miss_nothing_that_happens_between_parts,
                get_no_more_than_a_mebibyte_or_one_task, can_leave_tasks_for_the_next_part,
                are_woken_by_every_write;
            writers: two_servers_share_a_database, a_client_that_leaves_breaks_nothing, conflicts_have_one_winner,
                steps_at_once_are_all_counted, a_limit_holds_at_once, survive_lost_connections;
        }
    };
}

suite!(sqlite);
suite!(sqlite_alone);
suite!(postgres);
suite!(mysql);
