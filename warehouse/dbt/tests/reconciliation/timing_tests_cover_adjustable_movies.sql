-- A Kruskal-Wallis test is over every adjustable movie; its df is one less than its groups.
with timing_tests as (

    select * from {{ ref('release_timing_test') }}
    where {{ is_this_run() }}

),

timing as (

    select * from {{ ref('release_timing') }}
    where {{ is_this_run() }} and period_type in ('month', 'quarter')

),

recomputed as (

    select
        period_type,
        sum(adjustable) as n,
        sum(case when adjustable > 0 then 1 else 0 end) - 1 as df
    from timing
    group by period_type

),

compared as (

    select
        coalesce(timing_tests.period_type, recomputed.period_type) as period_type,
        timing_tests.n as stored_n,
        recomputed.n as recomputed_n,
        timing_tests.df as stored_df,
        case when recomputed.df < 0 then 0 else recomputed.df end as recomputed_df,
        timing_tests.epsilon_squared as stored_epsilon_squared,
        timing_tests.h / nullif(timing_tests.n - 1, 0) as recomputed_epsilon_squared
    from timing_tests
    full outer join recomputed on timing_tests.period_type = recomputed.period_type

)

{{ disagreements('compared', 'period_type', exact=['n', 'df'], close=['epsilon_squared']) }}
