//! Data: the prefixes by which vendors' secrets are known wherever they stand.
//!
//! A row is a prefix, the letters that follow it, and how many at least. The minimum is lower than the vendors' real
//! lengths, so that shortened and future forms are caught; `Mixed` rows also want a digit or a change of case, so
//! that ordinary words after the prefix stay. Sources: each vendor's own documentation of its token format.
//! The JSON Web Token and the Entra secret have no such row: they stand in `runs`.

use super::kind::SecretKind;

/// The letters a secret may go on with after its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `_`, `-`.
    Word,
    /// Letters, digits, `_`, `-`, `.` and `~`.
    Dotted,
    /// Letters, digits and `+ / = _ - . ~ !`.
    Base64,
    /// As `Base64`, and `* $`: Microsoft's consumer tokens.
    Marked,
}

impl Alphabet {
    /// Whether the letter belongs to the alphabet.
    pub(super) const fn contains(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() {
            return true;
        }
        match self {
            Self::Alphanumeric => false,
            Self::Word => matches!(byte, b'_' | b'-'),
            Self::Dotted => matches!(byte, b'_' | b'-' | b'.' | b'~'),
            Self::Base64 => matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=' | b'!'),
            Self::Marked => {
                matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=' | b'!' | b'*' | b'$')
            }
        }
    }
}

/// What the letters after the prefix must show besides their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing: the prefix is telling enough.
    Nothing,
    /// A digit, or upper and lower case.
    Mixed,
    /// A digit, and upper and lower case: for prefixes that begin ordinary names.
    Strong,
    /// A UUID.
    Uuid,
    /// An upper-case letter, or a part between dashes of 16 letters and more with a digit: `sk-` begins words too.
    Random,
}

/// One vendor's shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) prefix: &'static str,
    pub(super) kind: SecretKind,
    pub(super) alphabet: Alphabet,
    /// Fewest letters after the prefix.
    pub(super) minimum: usize,
    pub(super) demand: Demand,
}

/// Shortens the table's rows.
const fn row(prefix: &'static str, kind: SecretKind, alphabet: Alphabet, minimum: usize, demand: Demand) -> Shape {
    Shape { prefix, kind, alphabet, minimum, demand }
}

use Alphabet::{Alphanumeric, Base64, Dotted, Marked, Word};
use Demand::{Mixed, Nothing, Random, Strong, Uuid};
use SecretKind::{
    AccessToken, ApiKey, Assertion, AuthorizationCode, ClientSecret, PemPrivateKey, RefreshToken, Secret, Token,
};

/// Every shape; where two rows fit, the first wins, so longer prefixes stand first.
pub(super) const SHAPES: &[Shape] = &[
    // GitHub, GitLab, Bitbucket
    row("ghp_", Token, Alphanumeric, 12, Nothing),
    row("gho_", AccessToken, Alphanumeric, 12, Nothing),
    row("ghu_", AccessToken, Alphanumeric, 12, Nothing),
    row("ghs_", AccessToken, Dotted, 12, Nothing),
    row("ghr_", RefreshToken, Alphanumeric, 12, Nothing),
    row("github_pat_", Token, Word, 8, Nothing),
    row("glpat-", Token, Dotted, 10, Nothing),
    row("gloas-", ClientSecret, Word, 10, Nothing),
    row("gldt-", Token, Word, 10, Nothing),
    row("glrt-", Token, Dotted, 10, Mixed),
    row("glcbt-", Token, Word, 10, Nothing),
    row("glptt-", Token, Word, 10, Nothing),
    row("glft-", Token, Word, 10, Nothing),
    row("glimt-", Token, Word, 10, Nothing),
    row("glagent-", Token, Word, 16, Nothing),
    row("glsoat-", Token, Word, 10, Nothing),
    row("glffct-", Token, Word, 10, Nothing),
    row("glwt-", Token, Word, 16, Mixed),
    row("ATBB", Token, Alphanumeric, 24, Mixed),
    // Slack
    row("xoxe.xoxb-", Token, Word, 8, Nothing),
    row("xoxe.xoxp-", Token, Word, 8, Nothing),
    row("xoxe-", RefreshToken, Word, 8, Nothing),
    row("xoxa-", Token, Word, 8, Nothing),
    row("xoxb-", Token, Word, 8, Nothing),
    row("xoxc-", Token, Word, 8, Nothing),
    row("xoxd-", Token, Base64, 8, Nothing),
    row("xoxo-", Token, Word, 8, Nothing),
    row("xoxp-", Token, Word, 8, Nothing),
    row("xoxr-", RefreshToken, Word, 8, Nothing),
    row("xoxs-", Token, Word, 8, Nothing),
    row("xapp-", Token, Word, 8, Nothing),
    row("xwfp-", Token, Word, 8, Nothing),
    // Google and Microsoft
    row("ya29.", AccessToken, Dotted, 6, Nothing),
    row("1//0", RefreshToken, Word, 6, Nothing),
    row("4/0", AuthorizationCode, Word, 12, Mixed),
    row("AIza", ApiKey, Word, 20, Nothing),
    row("GOCSPX-", ClientSecret, Word, 6, Nothing),
    row("AQ.Ab8", ApiKey, Word, 16, Nothing),
    row("0.A", RefreshToken, Dotted, 40, Strong),
    row("1.A", RefreshToken, Dotted, 40, Strong),
    row("M.C5", RefreshToken, Marked, 20, Mixed),
    row("M.R3_", RefreshToken, Marked, 16, Mixed),
    row("EwA", AccessToken, Base64, 60, Strong),
    row("EwB", AccessToken, Base64, 60, Strong),
    row("EwC", AccessToken, Base64, 60, Strong),
    row("EwD", AccessToken, Base64, 60, Strong),
    row("OAQABAAAA", AuthorizationCode, Dotted, 30, Mixed),
    row("AQABAAAA", AuthorizationCode, Dotted, 30, Mixed),
    // Atlassian, Notion, Linear, Figma, Airtable, Asana
    row("ATATT3", ApiKey, Base64, 8, Nothing),
    row("ATCTT3", ApiKey, Base64, 8, Nothing),
    row("ATSTT3", ApiKey, Base64, 8, Nothing),
    row("ATOA", AccessToken, Base64, 40, Strong),
    row("ATTA", Token, Alphanumeric, 60, Strong),
    row("ntn_", Token, Alphanumeric, 8, Mixed),
    row("secret_", Token, Alphanumeric, 20, Mixed),
    row("lin_api_", ApiKey, Alphanumeric, 12, Nothing),
    row("lin_oauth_", AccessToken, Alphanumeric, 12, Nothing),
    row("figd_", Token, Word, 12, Nothing),
    row("figu_", AccessToken, Word, 12, Nothing),
    row("figor_", RefreshToken, Word, 12, Nothing),
    row("pk_", ApiKey, Word, 36, Mixed),
    row("CFPAT-", Token, Word, 20, Nothing),
    row("rdme_", ApiKey, Alphanumeric, 40, Mixed),
    row("dG9rO", AccessToken, Base64, 24, Mixed),
    // Models and gateways
    row("sk-ant-", ApiKey, Word, 8, Mixed),
    row("sk-proj-", ApiKey, Word, 8, Mixed),
    row("sk-or-v1-", ApiKey, Word, 8, Mixed),
    row("sk-lf-", ApiKey, Word, 12, Nothing),
    row("sk-svcacct-", ApiKey, Word, 8, Mixed),
    row("sk-admin-", ApiKey, Word, 16, Strong),
    row("sk-", ApiKey, Word, 10, Random),
    row("lsv2_", ApiKey, Word, 24, Mixed),
    row("csk-", ApiKey, Alphanumeric, 32, Mixed),
    row("tgp_v1_", ApiKey, Word, 24, Mixed),
    row("e2b_", ApiKey, Alphanumeric, 24, Mixed),
    row("fw_", ApiKey, Alphanumeric, 22, Strong),
    row("crsr_", ApiKey, Alphanumeric, 24, Mixed),
    row("sm_pat_", Token, Alphanumeric, 12, Mixed),
    row("api_org_", Token, Alphanumeric, 24, Mixed),
    row("esecret_", ApiKey, Alphanumeric, 16, Mixed),
    row("jina_", ApiKey, Alphanumeric, 24, Mixed),
    row("pa-", ApiKey, Word, 40, Strong),
    row("bb_live_", ApiKey, Word, 16, Mixed),
    row("hcai", ApiKey, Word, 40, Mixed),
    row("hcxi", ApiKey, Word, 40, Mixed),
    row("sess-", Token, Alphanumeric, 20, Mixed),
    row("gsk_", ApiKey, Alphanumeric, 16, Mixed),
    row("xai-", ApiKey, Alphanumeric, 20, Mixed),
    row("pplx-", ApiKey, Alphanumeric, 16, Mixed),
    row("hf_", Token, Alphanumeric, 16, Mixed),
    row("r8_", Token, Alphanumeric, 16, Mixed),
    row("nvapi-", ApiKey, Word, 16, Mixed),
    row("fc-", ApiKey, Alphanumeric, 24, Mixed),
    row("tvly-", ApiKey, Word, 12, Mixed),
    // Databases, analytics, packages, hosting
    row("sbp_", Token, Alphanumeric, 12, Mixed),
    row("sb_secret_", ApiKey, Word, 8, Nothing),
    row("phx_", ApiKey, Alphanumeric, 12, Mixed),
    row("phc_", ApiKey, Alphanumeric, 12, Mixed),
    row("npm_", Token, Alphanumeric, 16, Mixed),
    row("pypi-", Token, Word, 16, Mixed),
    row("rubygems_", Token, Alphanumeric, 16, Nothing),
    row("dckr_pat_", Token, Word, 10, Nothing),
    row("dckr_oat_", Token, Word, 10, Nothing),
    row("dop_v1_", Token, Alphanumeric, 16, Nothing),
    row("doo_v1_", Token, Alphanumeric, 16, Nothing),
    row("dor_v1_", RefreshToken, Alphanumeric, 16, Nothing),
    row("nfp_", Token, Alphanumeric, 16, Mixed),
    row("nfc_", Token, Alphanumeric, 16, Mixed),
    row("nfu_", Token, Alphanumeric, 16, Mixed),
    row("nfo_", Token, Alphanumeric, 16, Mixed),
    row("vcp_", Token, Alphanumeric, 20, Mixed),
    row("vci_", Token, Alphanumeric, 20, Mixed),
    row("vca_", AccessToken, Alphanumeric, 20, Mixed),
    row("vcr_", RefreshToken, Alphanumeric, 20, Mixed),
    row("fm2_", Token, Base64, 24, Mixed),
    row("fm1", Token, Base64, 60, Mixed),
    row("fo1_", Token, Word, 24, Mixed),
    row("vck_", ApiKey, Alphanumeric, 16, Mixed),
    row("dp.pt.", Token, Alphanumeric, 16, Nothing),
    row("dp.st.", Token, Dotted, 16, Nothing),
    row("dp.ct.", Token, Alphanumeric, 16, Nothing),
    row("dp.sa.", Token, Alphanumeric, 16, Nothing),
    row("dp.scim.", Token, Alphanumeric, 16, Nothing),
    row("dp.audit.", Token, Alphanumeric, 16, Nothing),
    row("cio", Token, Alphanumeric, 32, Strong),
    row("oy2", ApiKey, Alphanumeric, 43, Mixed),
    row("pscale_oauth_", AccessToken, Dotted, 10, Nothing),
    row("napi_", ApiKey, Alphanumeric, 32, Mixed),
    row("HRKU-AA", ApiKey, Word, 40, Mixed),
    row("HRKU-", ApiKey, Word, 36, Uuid),
    row("rnd_", ApiKey, Alphanumeric, 24, Strong),
    row("CCIPAT_", Token, Word, 24, Mixed),
    row("CCIPRJ_", Token, Word, 24, Mixed),
    row("bkua_", Token, Alphanumeric, 24, Mixed),
    row("bkct_", Token, Alphanumeric, 24, Mixed),
    row("sqp_", Token, Alphanumeric, 32, Mixed),
    row("squ_", Token, Alphanumeric, 32, Mixed),
    row("sqa_", Token, Alphanumeric, 32, Mixed),
    row("sgp_", Token, Word, 32, Mixed),
    row("AKCp", ApiKey, Alphanumeric, 40, Mixed),
    row("cmVmdGtu", Token, Base64, 24, Mixed),
    row("CLOJARS_", Token, Alphanumeric, 24, Mixed),
    row("ddp_", Token, Alphanumeric, 32, Mixed),
    row("pnu_", ApiKey, Alphanumeric, 24, Mixed),
    row("PREFECT-", ApiKey, Alphanumeric, 20, Mixed),
    row("dapi", Token, Alphanumeric, 32, Mixed),
    row("pscale_tkn_", Token, Dotted, 10, Nothing),
    row("pscale_pw_", SecretKind::Password, Dotted, 10, Nothing),
    // Payment, shops, mail, support
    row("sk_live_", ApiKey, Alphanumeric, 8, Nothing),
    row("sk_test_", ApiKey, Alphanumeric, 8, Nothing),
    row("sk_", ApiKey, Alphanumeric, 32, Mixed),
    row("rk_live_", ApiKey, Alphanumeric, 8, Nothing),
    row("rk_test_", ApiKey, Alphanumeric, 8, Nothing),
    row("whsec_", ClientSecret, Base64, 12, Mixed),
    row("shpat_", AccessToken, Alphanumeric, 16, Nothing),
    row("shpca_", AccessToken, Alphanumeric, 16, Nothing),
    row("shppa_", AccessToken, Alphanumeric, 16, Nothing),
    row("shpss_", ClientSecret, Alphanumeric, 16, Nothing),
    row("shpua_", AccessToken, Alphanumeric, 16, Nothing),
    row("shptka_", AccessToken, Alphanumeric, 16, Nothing),
    row("EAACEdEose0cBA", AccessToken, Alphanumeric, 8, Nothing),
    row("EAA", AccessToken, Word, 40, Strong),
    row("access-production-", AccessToken, Word, 36, Uuid),
    row("access-sandbox-", AccessToken, Word, 36, Uuid),
    row("access-development-", AccessToken, Word, 36, Uuid),
    row("rzp_live_", ApiKey, Alphanumeric, 14, Nothing),
    row("rzp_test_", ApiKey, Alphanumeric, 14, Nothing),
    row("pdl_live_", ApiKey, Word, 24, Mixed),
    row("pdl_sdbx_", ApiKey, Word, 24, Mixed),
    row("live_", ApiKey, Alphanumeric, 28, Mixed),
    row("test_", ApiKey, Alphanumeric, 28, Strong),
    row("A21AA", AccessToken, Word, 60, Strong),
    row("shippo_live_", Token, Alphanumeric, 24, Mixed),
    row("shippo_test_", Token, Alphanumeric, 24, Mixed),
    row("re_", ApiKey, Word, 22, Strong),
    row("FLWSECK", ApiKey, Word, 20, Mixed),
    row("EZAK", ApiKey, Alphanumeric, 40, Mixed),
    row("EZTK", ApiKey, Alphanumeric, 40, Mixed),
    row("duffel_live_", Token, Word, 20, Nothing),
    row("duffel_test_", Token, Word, 20, Nothing),
    row("sl.", Token, Dotted, 60, Strong),
    row("mfa.", Token, Word, 60, Strong),
    row("syt_", AccessToken, Word, 24, Mixed),
    row("aio_", ApiKey, Alphanumeric, 24, Mixed),
    row("ico-", ApiKey, Alphanumeric, 28, Mixed),
    row("sdk-", ApiKey, Word, 36, Uuid),
    row("mob-", ApiKey, Word, 36, Uuid),
    row("sq0atp-", AccessToken, Word, 12, Nothing),
    row("sq0csp-", ClientSecret, Word, 12, Nothing),
    row("sq0idp-", Token, Word, 16, Mixed),
    row("SG.", ApiKey, Dotted, 16, Mixed),
    row("key-", ApiKey, Alphanumeric, 28, Mixed),
    row("xkeysib-", ApiKey, Word, 16, Nothing),
    row("pat-na1-", Token, Word, 16, Mixed),
    row("pat-eu1-", Token, Word, 16, Mixed),
    row("PMAK-", ApiKey, Word, 16, Mixed),
    // Clouds, secrets managers, observability, networks
    row("AKIA", ApiKey, Alphanumeric, 12, Nothing),
    row("ASIA", ApiKey, Alphanumeric, 16, Mixed),
    row("ABIA", ApiKey, Alphanumeric, 16, Mixed),
    row("ACCA", ApiKey, Alphanumeric, 16, Mixed),
    row("ABSK", ApiKey, Base64, 80, Strong),
    row("LTAI", ApiKey, Alphanumeric, 16, Strong),
    row("AKID", ApiKey, Alphanumeric, 24, Strong),
    row("t1.", AccessToken, Dotted, 80, Strong),
    row("AQVN", ApiKey, Word, 32, Mixed),
    row("p8e-", ClientSecret, Word, 24, Mixed),
    row("v1.0-", ApiKey, Word, 100, Mixed),
    row("A3-", Secret, Word, 30, Mixed),
    row("dt0c01.", Token, Dotted, 40, Mixed),
    row("dt0s", Token, Dotted, 60, Mixed),
    row("hvs.", Token, Word, 12, Mixed),
    row("hvb.", Token, Word, 12, Mixed),
    row("hvr.", Token, Word, 12, Mixed),
    row("ops_eyJ", Token, Base64, 16, Nothing),
    row("glsa_", Token, Word, 12, Mixed),
    row("glc_", Token, Base64, 16, Mixed),
    row("sntrys_", Token, Base64, 16, Nothing),
    row("sntryu_", Token, Alphanumeric, 16, Nothing),
    row("NRAK-", ApiKey, Alphanumeric, 16, Nothing),
    row("NRJS-", ApiKey, Alphanumeric, 12, Nothing),
    row("NRII-", ApiKey, Word, 20, Mixed),
    row("tskey-", ApiKey, Word, 12, Mixed),
    row("cfut_", Token, Alphanumeric, 16, Mixed),
    row("AGE-SECRET-KEY-1", SecretKind::PemPrivateKey, Alphanumeric, 16, Nothing),
    row("ory_at_", AccessToken, Dotted, 12, Nothing),
    row("ory_rt_", RefreshToken, Dotted, 12, Nothing),
    row("ory_ac_", AuthorizationCode, Dotted, 12, Nothing),
    row("pul-", Token, Alphanumeric, 24, Mixed),
    row("PEFzc2VydGlvb", Assertion, Base64, 24, Nothing),
    row("PFJlc3BvbnNl", Assertion, Base64, 40, Nothing),
    row("PHNhbW", Assertion, Base64, 24, Nothing),
    row("PD94bWwg", Assertion, Base64, 60, Mixed),
    row("v1.local.", Token, Dotted, 24, Mixed),
    row("v2.local.", Token, Dotted, 24, Mixed),
    row("v3.local.", Token, Dotted, 24, Mixed),
    row("v4.local.", Token, Dotted, 24, Mixed),
    row("v1.public.", Token, Dotted, 24, Mixed),
    row("v2.public.", Token, Dotted, 24, Mixed),
    row("v3.public.", Token, Dotted, 24, Mixed),
    row("v4.public.", Token, Dotted, 24, Mixed),
    row("MDAx", Token, Base64, 40, Strong),
    row("MDAy", Token, Base64, 40, Strong),
    row("AgEUb", Token, Base64, 40, Strong),
    row("LS0tLS1CRUdJTiBQUklWQVRF", PemPrivateKey, Base64, 8, Nothing),
    row("LS0tLS1CRUdJTiBSU0EgUFJJVkFUR", PemPrivateKey, Base64, 8, Nothing),
    row("LS0tLS1CRUdJTiBFQyBQUklWQVRF", PemPrivateKey, Base64, 8, Nothing),
    row("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVE", PemPrivateKey, Base64, 8, Nothing),
    row("LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFUR", PemPrivateKey, Base64, 8, Nothing),
];

#[cfg(test)]
mod tests {
    use super::SHAPES;

    #[test]
    fn a_longer_prefix_stands_before_the_shorter_it_begins_with() {
        for (index, earlier) in SHAPES.iter().enumerate() {
            for later in &SHAPES[index + 1..] {
                assert!(!later.prefix.starts_with(earlier.prefix), "{} hides {}", earlier.prefix, later.prefix);
            }
        }
    }

    #[test]
    fn every_shape_is_long_enough_for_the_prefilter() {
        for shape in SHAPES {
            assert!(shape.prefix.is_ascii() && shape.prefix.len() >= 2 && shape.minimum >= 6, "{}", shape.prefix);
        }
    }
}
