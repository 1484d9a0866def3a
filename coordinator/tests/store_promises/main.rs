//! The promises of the store port, asked of both dialects over real databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod backup;
mod crowd;
mod erasure;
mod fake;
mod faults;
mod fence;
mod home;
mod listings;
mod migrations;
mod operators;
mod packs;
mod promises;
mod schedules;
mod signs;
mod views;

/// Makes each promise a test of either dialect.
macro_rules! of_both {
    ($module:ident: $($promise:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$module::$promise(&crate::home::Home::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$module::$promise(&crate::home::Home::postgres().await).await;
            })+
        }
    };
}

mod kept {
    use super::promises;
    of_both!(promises:
        a_batch_is_there_with_its_surveys,
        what_is_recorded_twice_counts_once,
        a_survey_done_again_is_another_job,
        a_failure_ends_the_repository_and_no_other,
        jobs_come_surveys_first_and_large_repositories_next,
        silent_jobs_are_rung_for_once,
        what_is_known_is_what_was_recorded,
        a_dry_run_leaves_nothing,
        reports_are_found_by_what_they_were_made_of,
        old_batches_go_and_published_ones_stay,
        what_ended_long_ago_retires,
        batches_retire_but_for_what_is_published,
        tokens_sessions_and_the_log_retire,
        an_unfinished_batch_can_be_abandoned,
        hostile_text_is_taken,
        a_large_history_is_recorded_whole,
        the_last_decision_about_two_people_stands,
    );
}

mod packed {
    use super::packs;
    of_both!(packs: packs_and_rows_give_the_same_report, many_small_packs_become_few);
}

mod operated {
    use super::operators;
    of_both!(operators:
        a_request_sent_twice_is_one_batch,
        an_operator_sees_what_workers_do,
        one_attempt_of_many_counts_and_none_stays_open,
        a_lost_job_rests_and_is_given_up,
        suspects_go_out_one_at_a_time,
        who_is_heard_of_again_was_not_lost,
        batches_are_paused_cancelled_and_tried_again,
        a_list_says_of_each_batch_what_is_said_of_it_alone,
        an_operator_needs_no_leader_and_a_deposed_one_changes_nothing,
        many_may_hear_of_the_same_jobs,
        dead_letters_are_kept_once,
        a_repository_is_forgotten,
    );
}

mod watched {
    use super::signs;
    of_both!(signs: signs_follow_a_job_from_waiting_to_history, whoever_ends_a_repository_is_told_so_once);
}

mod let_in {
    use super::access;
    of_both!(access:
        a_token_is_found_until_it_is_revoked,
        a_session_ends,
        a_pace_holds_for_all_who_draw_at_once,
        who_fails_too_often_is_locked_out,
        the_log_is_a_chain_that_is_only_added_to,
        what_is_old_goes_from_the_log_and_the_rest_verifies,
        a_part_of_the_fleet_is_all_that_is_seen_of_it,
    );
}

mod listed {
    use super::listings;
    of_both!(listings:
        a_page_is_kept_by_token_and_address,
        a_budget_is_everybodys,
        a_renamed_repository_keeps_what_is_known_of_it,
    );
}

mod planned {
    use super::schedules;
    of_both!(schedules:
        a_schedule_is_kept_as_it_was_added,
        many_who_lead_fire_once,
        one_runs_at_a_time,
        what_was_missed_is_written_down,
        a_schedule_rests_and_goes_on,
        a_firing_waits_fails_or_is_forgotten,
        a_deposed_leader_fires_nothing,
    );
}

mod shown {
    use super::views;
    of_both!(views: weeks_are_those_of_iso_8601, views_show_what_was_recorded, odd_names_fail_no_query);
}

mod forgotten {
    use super::erasure;
    of_both!(erasure:
        nothing_names_whom_it_was,
        what_comes_later_names_nobody,
        an_erasure_that_was_cut_short_is_done_again,
        what_is_recorded_meanwhile_does_not_slip_through,
        what_is_held_is_handed_out,
        whom_others_share_a_name_with_stays_them,
    );
}

mod together {
    use super::crowd;
    of_both!(crowd:
        outcomes_recorded_by_many_at_once_count_once,
        batches_of_the_same_repositories_do_not_mix,
        a_batch_cancelled_in_mid_recording_ends,
        what_adds_to_a_replaced_snapshot_is_surveyed_again,
    );
}
