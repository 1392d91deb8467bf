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

use Alphabet::{Alphanumeric, Base64, Dotted, Word};
use Demand::{Mixed, Nothing, Random};
use SecretKind::{AccessToken, ApiKey, AuthorizationCode, ClientSecret, RefreshToken, Token};

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
    // Google
    row("ya29.", AccessToken, Dotted, 6, Nothing),
    row("1//0", RefreshToken, Word, 6, Nothing),
    row("4/0", AuthorizationCode, Word, 12, Mixed),
    row("AIza", ApiKey, Word, 20, Nothing),
    row("GOCSPX-", ClientSecret, Word, 6, Nothing),
    row("AQ.Ab8", ApiKey, Word, 16, Nothing),
    // Atlassian, Notion, Linear, Figma, Airtable, Asana
    row("ATATT3", ApiKey, Base64, 8, Nothing),
    row("ATCTT3", ApiKey, Base64, 8, Nothing),
    row("ATSTT3", ApiKey, Base64, 8, Nothing),
    row("ntn_", Token, Alphanumeric, 8, Mixed),
    row("secret_", Token, Alphanumeric, 20, Mixed),
    row("lin_api_", ApiKey, Alphanumeric, 12, Nothing),
    row("lin_oauth_", AccessToken, Alphanumeric, 12, Nothing),
    row("figd_", Token, Word, 12, Nothing),
    row("figu_", AccessToken, Word, 12, Nothing),
    // Models and gateways
    row("sk-ant-", ApiKey, Word, 8, Mixed),
    row("sk-proj-", ApiKey, Word, 8, Mixed),
    row("sk-or-v1-", ApiKey, Word, 8, Mixed),
    row("sk-lf-", ApiKey, Word, 12, Nothing),
    row("sk-", ApiKey, Word, 10, Random),
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
    row("vck_", ApiKey, Alphanumeric, 16, Mixed),
    row("FlyV1", Token, Base64, 16, Mixed),
    row("dp.pt.", Token, Alphanumeric, 16, Nothing),
    row("dapi", Token, Alphanumeric, 32, Mixed),
    row("pscale_tkn_", Token, Dotted, 10, Nothing),
    row("pscale_pw_", SecretKind::Password, Dotted, 10, Nothing),
    // Payment, shops, mail, support
    row("sk_live_", ApiKey, Alphanumeric, 8, Nothing),
    row("sk_test_", ApiKey, Alphanumeric, 8, Nothing),
    row("rk_live_", ApiKey, Alphanumeric, 8, Nothing),
    row("rk_test_", ApiKey, Alphanumeric, 8, Nothing),
    row("whsec_", ClientSecret, Base64, 12, Mixed),
    row("shpat_", AccessToken, Alphanumeric, 16, Nothing),
    row("shpca_", AccessToken, Alphanumeric, 16, Nothing),
    row("shppa_", AccessToken, Alphanumeric, 16, Nothing),
    row("shpss_", ClientSecret, Alphanumeric, 16, Nothing),
    row("EAACEdEose0cBA", AccessToken, Alphanumeric, 8, Nothing),
    row("sq0atp-", AccessToken, Word, 12, Nothing),
    row("sq0csp-", ClientSecret, Word, 12, Nothing),
    row("SG.", ApiKey, Dotted, 16, Mixed),
    row("key-", ApiKey, Alphanumeric, 28, Mixed),
    row("xkeysib-", ApiKey, Word, 16, Nothing),
    row("pat-na1-", Token, Word, 16, Mixed),
    row("pat-eu1-", Token, Word, 16, Mixed),
    row("PMAK-", ApiKey, Word, 16, Mixed),
    // Clouds, secrets managers, observability, networks
    row("AKIA", ApiKey, Alphanumeric, 12, Nothing),
    row("ASIA", ApiKey, Alphanumeric, 16, Mixed),
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
    row("tskey-", ApiKey, Word, 12, Mixed),
    row("cfut_", Token, Alphanumeric, 16, Mixed),
    row("AGE-SECRET-KEY-1", SecretKind::PemPrivateKey, Alphanumeric, 16, Nothing),
    row("ory_at_", AccessToken, Dotted, 12, Nothing),
    row("ory_rt_", RefreshToken, Dotted, 12, Nothing),
    row("ory_ac_", AuthorizationCode, Dotted, 12, Nothing),
    row("pul-", Token, Alphanumeric, 24, Mixed),
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
