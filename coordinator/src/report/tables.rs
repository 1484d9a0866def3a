//! The tables of the report beyond plain activity: work, flow, risk, community, people.
//!
//! Null is "not known" or "nothing there" and never zero. Times are RFC 3339 in UTC, days are `2026-10-05`, spans are
//! whole seconds, shares are ratios of 1. Every list has a fixed order that its doc comment or its columns give.

use gitfleet_shared::metrics::share::Ratio;

use super::row::{row, tables};

row! {
    /// One number of one subject.
    MetricRow {
        /// "organisation", "repository", "project" or "team"
        scope: String,
        /// Name of the repository, project key or team; empty for the organisation
        subject: String,
        /// Chapter of the definition: activity, people, work, flow, risk or community
        chapter: String,
        /// Name of the metric, as in `gitfleet metrics show`
        metric: String,
        /// Which of its numbers, where it has several
        part: String,
        /// Null: nothing there, or not known
        value: Option<Ratio>,
        /// Unit of the value
        unit: String,
    }
}

row! {
    /// What a group of commits comes to, over the window or in one week.
    GroupRow {
        /// "organisation", "repository", "project" or "team"
        scope: String,
        /// Name of the repository, project key or team; empty for the organisation
        subject: String,
        /// ISO week; empty for the whole window
        week: String,
        /// Non-merge commits
        commits: u64,
        /// Commits with two or more parents
        merges: u64,
        /// Non-merge commits by bots; they are in `commits`
        bot_commits: u64,
        /// Distinct people with a non-merge commit, bots left out
        developers: u64,
        /// Lines added, as git counts them
        additions: u64,
        /// Lines deleted
        deletions: u64,
        /// Changed files summed over commits
        files_changed: u64,
        /// Lines added in source files: not vendored, generated, documentation or excluded
        source_additions: u64,
        /// Lines deleted in source files
        source_deletions: u64,
        /// Commits that correct faults
        corrective: u64,
        /// Commits that bring new function
        adaptive: u64,
        /// Commits that improve what is there
        perfective: u64,
        /// Commits of no known kind
        unclassified: u64,
        /// Commits that follow Conventional Commits 1.0.0
        conventional: u64,
        /// Commits that say they break compatibility
        breaking: u64,
        /// Commits that should name a ticket: no merge, bot or release
        ticket_eligible: u64,
        /// Those of them that do
        ticket_covered: u64,
        /// Those that name nothing but a pull request
        request_only: u64,
        /// Reverting commits
        reverts: u64,
        /// Commits whose message names an AI assistant
        ai_assisted: u64,
        /// Commits with a Reviewed-by, Acked-by or Tested-by trailer
        reviewed: u64,
        /// Pull or merge requests merged on the mainline
        requests: u64,
        /// Deleted lines younger than 21 days, by their own author; null without line history
        rework_own: Option<u64>,
        /// Deleted lines younger than 21 days, by others; null without line history
        rework_others: Option<u64>,
        /// Deleted lines that were older; null without line history
        refactored: Option<u64>,
        /// Story points of tickets whose last commit falls here, in hundredths
        story_point_hundredths: u64,
    }
}

row! {
    /// A person, bots and agents too.
    PersonRow {
        /// Stable key of the person
        person: String,
        /// Name; a pseudonym, or null, where names are withheld
        name: Option<String>,
        /// E-mail; a pseudonym, or null, where names are withheld
        email: Option<String>,
        /// "human", "bot" or "agent"
        class: String,
        /// Teams on the day of the last commit, joined by "; "
        teams: String,
        /// Names and e-mails that are this person
        signatures: u64,
        /// Non-merge commits in the window
        commits: u64,
        /// Commits of others that name this person as co-author
        co_authored: u64,
        /// Commits of others with a review trailer of this person
        reviews: u64,
        /// Lines added
        additions: u64,
        /// Lines deleted
        deletions: u64,
        /// Days with a commit, over all repositories
        active_days: u64,
        /// Repositories with a commit
        repositories: u64,
        /// First commit in any repository, over all history
        first_seen: Option<String>,
        /// Last commit in any repository, over all history
        last_seen: Option<String>,
        /// No commit for 180 days at the as-of time
        has_left: bool,
        /// Lines of source files at the tips that git blame leads to; null without line history
        lines_held: Option<u64>,
        /// Source files that nobody would be left for without this person
        files_lost: u64,
    }
}

row! {
    /// Why a name and e-mail is a person.
    IdentityRow {
        /// Key of the person
        person: String,
        /// Name in commits
        name: String,
        /// E-mail in commits
        email: String,
        /// The rule that joined it
        reason: String,
        /// What the rule went by
        detail: String,
    }
}

row! {
    /// Commits of a category.
    CategoryRow {
        /// "organisation", "repository", "project" or "team"
        scope: String,
        /// Name of the repository, project key or team; empty for the organisation
        subject: String,
        /// Category, in the organisation's word where one is configured
        category: String,
        /// Non-merge commits by people
        commits: u64,
        /// Of all such commits
        share: Option<Ratio>,
    }
}

row! {
    /// A commit that should name a ticket and does not.
    UntrackedRow {
        /// Repository
        repository: String,
        /// Object id
        commit: String,
        /// Day of the author time
        day: Option<String>,
        /// Author; a pseudonym, or null, where names are withheld
        author: Option<String>,
        /// First line of the message; null where names are withheld, since it may hold some
        subject: Option<String>,
        /// Category
        category: String,
        /// Changed files
        files_changed: u64,
        /// Lines added and deleted
        touched_lines: u64,
    }
}

row! {
    /// A ticket that commits name.
    TicketRow {
        /// "jira", "linear", "github", "gitlab", "azure_boards", "clickup" or a configured platform
        system: String,
        /// Key or number
        key: String,
        /// Commits in the window that name it
        commits: u64,
        /// Repositories with such a commit
        repositories: u64,
        /// Story points in hundredths, counted once; null where no commit says any
        story_point_hundredths: Option<u64>,
        /// Day of the first commit
        first_commit_on: Option<String>,
        /// Day of the last commit
        last_commit_on: Option<String>,
    }
}

row! {
    /// A commit that reverts another.
    RevertRow {
        /// Repository
        repository: String,
        /// The reverting commit
        commit: String,
        /// What it reverts; null where that is not in the history
        victim: Option<String>,
        /// From the victim's integration to the revert's author time
        after_seconds: Option<i64>,
        /// Whether a later commit takes the revert back
        reapplied: bool,
    }
}

row! {
    /// A pull or merge request, inferred from the mainline.
    RequestRow {
        /// Repository
        repository: String,
        /// The commit on the mainline
        commit: String,
        /// Forge whose words the commit uses
        platform: String,
        /// Number; null for a merged branch without one
        number: Option<u64>,
        /// "merge" or "squash"
        how: String,
        /// When it came onto the mainline
        merged_at: Option<String>,
        /// Non-merge commits it brought; null for a squash
        commits: Option<u64>,
        /// Their authors; null for a squash
        authors: Option<u64>,
        /// Lines its commits touched
        touched_lines: u64,
        /// From the first author time to the merge; null for a squash
        cycle_seconds: Option<i64>,
    }
}

row! {
    /// A release, taken for a deployment.
    DeploymentRow {
        /// Repository
        repository: String,
        /// Text before the version; empty for none
        component: String,
        /// Tag
        tag: String,
        /// Version
        version: String,
        /// Time of the tag
        released_at: Option<String>,
        /// Non-merge commits that came with it
        commits: u64,
        /// Median from author time to release; null for the first of a component
        lead_median_seconds: Option<i64>,
        /// 90th percentile of the same
        lead_p90_seconds: Option<i64>,
        /// "revert", "patch" or "hotfix"; null without a failure mark
        failure: Option<String>,
        /// Until the first release with the fix
        recovery_seconds: Option<i64>,
        /// A patch version or hotfix tag
        is_rework: bool,
    }
}

row! {
    /// The five DORA metrics of a component, release-based proxy.
    DoraRow {
        /// "component" of a repository, "repository", "project" or "organisation"
        scope: String,
        /// Repository or project key; empty for the organisation
        subject: String,
        /// Component
        component: String,
        /// Releases in the window
        deployments: u64,
        /// For each week of the window; null where there is no release or the window has no bounds
        deployments_per_week: Option<Ratio>,
        /// Median between releases
        gap_median_seconds: Option<i64>,
        /// Change lead time from author time, median
        lead_median_seconds: Option<i64>,
        /// The same, 90th percentile
        lead_p90_seconds: Option<i64>,
        /// Change lead time from integration, median
        lead_from_merge_median_seconds: Option<i64>,
        /// Releases with a failure mark, of all
        change_fail_rate: Option<Ratio>,
        /// Failed deployment recovery time, median
        recovery_median_seconds: Option<i64>,
        /// Releases that are patch versions or hotfix tags, of all
        deployment_rework_rate: Option<Ratio>,
    }
}

row! {
    /// A source file at the tip, one of the hottest or largest of its repository.
    FileRow {
        /// Repository
        repository: String,
        /// Path
        path: String,
        /// Lines
        lines: u64,
        /// Commits in the window that change it
        revisions: u64,
        /// Sum of logical indentation, rounded down
        complexity: u64,
        /// Hotspot score; null without a revision in the window
        hotspot_score: Option<Ratio>,
        /// People with a commit to it, over all history
        people: u64,
        /// Who has most of its commits; a pseudonym, or null, where names are withheld
        owner: Option<String>,
        /// Their share
        owner_share: Option<Ratio>,
        /// Authors by degree of authorship
        authors: u64,
        /// Share of its lines by the person with most; null without line history
        largest_holder_share: Option<Ratio>,
        /// Median age of its lines; null without line history
        median_age_days: Option<i64>,
        /// Sum over weeks of its part in the entropy of change
        history_complexity: Option<Ratio>,
    }
}

row! {
    /// A component (top directory) of a repository.
    ComponentRow {
        /// Repository
        repository: String,
        /// Directory; "(root)" for files outside of any
        component: String,
        /// Source files at the tip
        files: u64,
        /// Their lines
        lines: u64,
        /// Non-merge commits to it, over all history
        commits: u64,
        /// People with such a commit
        people: u64,
        /// Who has most; a pseudonym, or null, where names are withheld
        owner: Option<String>,
        /// Their share of commits
        owner_share: Option<Ratio>,
        /// People with less than 5 % of its commits
        minor_contributors: u64,
        /// Fractal value of commits
        fragmentation: Option<Ratio>,
        /// Window: lines added / lines at the tip
        churned_share: Option<Ratio>,
        /// Window: lines deleted / lines at the tip
        deleted_share: Option<Ratio>,
        /// Window: files churned / files
        files_churned_share: Option<Ratio>,
        /// Window: changes / files churned
        changes_per_file: Option<Ratio>,
        /// Window: weeks with churn / files
        weeks_per_file: Option<Ratio>,
        /// Window: lines added and deleted / weeks with churn
        lines_per_week: Option<Ratio>,
        /// Window: lines added / lines deleted
        churned_to_deleted: Option<Ratio>,
        /// Window: lines added and deleted / changes
        lines_per_change: Option<Ratio>,
    }
}

row! {
    /// Who the truck factor takes away, in this order.
    TruckFactorRow {
        /// "organisation", "repository", "project" or "team"
        scope: String,
        /// Name of the repository, project key or team; empty for the organisation
        subject: String,
        /// From 1
        rank: u64,
        /// A pseudonym, or null, where names are withheld
        person: Option<String>,
        /// Files they author
        files: u64,
        /// Of all files
        share: Option<Ratio>,
    }
}

row! {
    /// Two files or components that change together.
    CouplingRow {
        /// "files" of a repository, or "repositories"
        what: String,
        /// Repository of the first
        repository_a: String,
        /// Path or component of the first
        a: String,
        /// Repository of the second
        repository_b: String,
        /// Path or component of the second
        b: String,
        /// Changes that touch both
        shared: u64,
        /// Mean number of changes of either
        mean_revisions: Option<Ratio>,
        /// Percent
        degree: u64,
    }
}

row! {
    /// Entropy of a repository's change in a week.
    EntropyRow {
        /// Repository
        repository: String,
        /// ISO week
        week: String,
        /// 0 (one file) to 1 (all alike)
        entropy: Ratio,
    }
}

row! {
    /// Share of lines that survive an age.
    SurvivalRow {
        /// "organisation" or "repository"
        scope: String,
        /// Repository; empty for the organisation
        subject: String,
        /// Age
        days: i64,
        /// Share still there
        surviving: Ratio,
    }
}

row! {
    /// Lines of one quarter's writing that stand at the end of another.
    BurndownRow {
        /// "organisation" or "repository"
        scope: String,
        /// Repository; empty for the organisation
        subject: String,
        /// Quarter in which the lines were written
        written: String,
        /// Quarter at whose end they stand
        at: String,
        /// How many
        lines: i64,
    }
}

row! {
    /// Contributors of a month.
    MonthRow {
        /// Month
        month: String,
        /// People with a commit
        active: u64,
        /// Those whose first commit ever it is
        new: u64,
        /// Those whose last commit it was, 180 days ago or more
        leaving: u64,
    }
}

row! {
    /// How many of a quarter's newcomers are still there.
    CohortRow {
        /// Quarter of the first commit
        quarter: String,
        /// Newcomers
        people: u64,
        /// Quarters later
        after: u64,
        /// Those with a commit then
        active: u64,
        /// Of the newcomers
        share: Option<Ratio>,
    }
}

row! {
    /// Commits of a team by weekday and hour of the author; only on request, and only of five people or more.
    HourRow {
        /// Team; empty for the organisation
        team: String,
        /// 1 Monday to 7 Sunday
        weekday: u64,
        /// 0 to 23
        hour: u64,
        /// Non-merge commits
        commits: u64,
    }
}

row! {
    /// A language at the tips.
    LanguageBytesRow {
        /// "organisation" or "repository"
        scope: String,
        /// Repository; empty for the organisation
        subject: String,
        /// Language
        language: String,
        /// Source files
        files: u64,
        /// Bytes
        bytes: u64,
        /// Lines
        lines: u64,
        /// Of all bytes
        share: Option<Ratio>,
    }
}

row! {
    /// What is left out of "source", and why.
    ExclusionRow {
        /// Repository
        repository: String,
        /// "vendored", "generated", "documentation" or "configured"
        class: String,
        /// Files at the tip
        files: u64,
        /// Lines at the tip
        lines: u64,
        /// Lines added in the window
        additions: u64,
        /// Lines deleted in the window
        deletions: u64,
    }
}

row! {
    /// Something to talk about, with the rule that found it.
    FindingRow {
        /// Stable name of the rule
        rule: String,
        /// "act", "watch" or "know"
        weight: String,
        /// "organisation", "repository", "project" or "team"
        scope: String,
        /// What it is about; empty for the organisation
        subject: String,
        /// One sentence
        finding: String,
        /// The numbers behind it
        evidence: String,
        /// What the rule recommends
        recommendation: String,
    }
}

row! {
    /// Something about people that a human should decide.
    OpenIdentityRow {
        /// "proposal" or "contested"
        what: String,
        /// One side; a pseudonym, or null, where names are withheld
        a: Option<String>,
        /// The other
        b: Option<String>,
        /// How alike; null for a contested one
        score: Option<Ratio>,
        /// Why
        reason: String,
    }
}

tables! {
    /// What needs a decision, most pressing first
    findings: FindingRow,
    /// Every scalar metric by organisation, project, team and repository
    metrics: MetricRow,
    /// Activity and work of each group over the window
    groups: GroupRow,
    /// The same by week; weeks without a commit have no row
    group_weeks: GroupRow,
    /// People, bots and agents, most commits first
    people: PersonRow,
    /// Which name and e-mail is who, and why
    identities: IdentityRow,
    /// Identities that wait for a human
    open_identities: OpenIdentityRow,
    /// Work by category
    categories: CategoryRow,
    /// Tickets that commits name, most commits first
    tickets: TicketRow,
    /// Commits that should name a ticket, largest first; the first 1,000
    untracked_commits: UntrackedRow,
    /// Reverts, newest first
    reverts: RevertRow,
    /// Pull and merge requests, newest first; the first 1,000 of a repository
    requests: RequestRow,
    /// The five DORA metrics, release-based proxy
    dora: DoraRow,
    /// Releases, newest first
    deployments: DeploymentRow,
    /// Hottest and largest source files of each repository
    files: FileRow,
    /// Ownership and relative churn by top directory
    components: ComponentRow,
    /// Truck factor, person by person
    truck_factor: TruckFactorRow,
    /// What changes together, strongest first
    coupling: CouplingRow,
    /// Entropy of change by repository and week
    entropy_weeks: EntropyRow,
    /// Survival of lines by age
    survival: SurvivalRow,
    /// Lines by quarter of writing, at the end of each quarter
    burndown: BurndownRow,
    /// Contributors by month, over all history
    contributor_months: MonthRow,
    /// Retention of newcomers by quarter
    cohorts: CohortRow,
    /// Working hours, on request only
    hours: HourRow,
    /// Languages at the tips, by bytes of source files
    languages_at_tip: LanguageBytesRow,
    /// Vendored, generated, documentation and excluded files
    exclusions: ExclusionRow,
}
