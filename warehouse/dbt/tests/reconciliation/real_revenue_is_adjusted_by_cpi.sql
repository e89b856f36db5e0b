-- Real revenue is revenue x CPI(base month) / CPI(release month), there exactly when the release
-- month has a CPI value.
with box_office as (

    select * from {{ ref('stg_fact_box_office') }}

),

cpi as (

    select * from {{ ref('stg_cpi_month') }}
    where value is not null

),

compared as (

    select
        box_office.tmdb_id,
        box_office.cpi_value as stored_cpi_value,
        cpi.value as recomputed_cpi_value,
        box_office.revenue_real as stored_revenue_real,
        cast(box_office.revenue as double precision)
        * cast(cpi.base_value as double precision)
        / nullif(cast(cpi.value as double precision), 0) as recomputed_revenue_real
    from box_office
    left join cpi on cast(date_trunc('month', box_office.release_date) as date) = cpi.month

)

{{ disagreements('compared', 'tmdb_id', exact=['cpi_value'], close=['revenue_real']) }}
