//! Made-up secrets: each vendor's form as a template, filled with letters from a seeded generator.
//!
//! A template is text with `{…}` for generated letters: `a` letters and digits, `l` lower-case ones, `u` capitals and
//! digits, `x` hexadecimal, `w` base64url, `b` base64, `d` digits, each with a number; `g` is a UUID. A `|` is dropped:
//! it keeps templates from looking like secrets to whoever scans this file. What stands before a `^` may stay.

/// The letters that stand for a class in a template.
fn letters_of(class: char) -> &'static [u8] {
    match class {
        'a' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'l' => b"abcdefghijklmnopqrstuvwxyz0123456789",
        'u' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'x' => b"0123456789abcdef",
        'w' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
        'b' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        'd' => b"123456789",
        'p' => b"abcdefghijklmnopqrstuvwxyz",
        other => panic!("no letters for {other}"),
    }
}

/// A small generator (Knuth's constants), so that every run sees the same secrets.
struct Generator(u64);

impl Generator {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }

    fn letters(&mut self, class: char, count: usize) -> String {
        let letters = letters_of(class);
        // A letter first and no mark last, so that what is generated is one word.
        let mut text: Vec<u8> = (0..count).map(|_| letters[self.next(letters.len())]).collect();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric();
        if let Some(last) = text.last_mut().filter(|last| !plain(last)) {
            *last = b'Z';
        }
        String::from_utf8(text).expect("ASCII")
    }
}

/// The template with its letters filled in; another `seed` gives other letters.
pub(super) fn filled(template: &str, seed: u64) -> String {
    let mut generator = Generator(template.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (class, tail) = after.split_once('}').expect("closed braces");
        text.push_str(before);
        let letter = class.chars().next().expect("a class");
        if letter == 'g' {
            let parts = [8, 4, 4, 4, 12].map(|count| generator.letters('x', count));
            text.push_str(&parts.join("-"));
        } else {
            text.push_str(&generator.letters(letter, class[1..].parse().expect("a number")));
        }
        rest = tail;
    }
    text.push_str(rest);
    text.replace('|', "")
}

/// Secrets that are known wherever they stand.
pub(super) const VENDORS: &[&str] = &[
    // JSON Web Tokens, whole and encrypted, other tokens of standards
    "ey|JhbGciOi{w20}.ey|J{w40}.{w43}",
    "ey|JhbGciOiJub25lIn0.ey|JzdWIiOiJGQUtFIn0.{w10}",
    "ey|J{w30}.{w60}.{w16}.{w80}.{w22}",
    "v2.lo|cal.{w80}",
    "v4.pub|lic.{w120}",
    "v3.lo|cal.{w80}.{w20}",
    "MDA|yMWxvY2F0aW9u{b60}",
    // GitHub, GitLab, Bitbucket, other forges
    "gh|p_{a36}",
    "gh|o_{a36}",
    "gh|u_{a36}",
    "gh|s_{a36}",
    "gh|r_{a76}",
    "github|_pat_11{u8}0{a10}_{a59}",
    "gl|pat-{w20}",
    "gl|pat-{w27}.01.{l9}",
    "gl|dt-{w20}",
    "gl|rt-{w20}",
    "gl|cbt-64_{w20}",
    "gl|ptt-{x40}",
    "gl|ft-{w20}",
    "gl|imt-{w25}",
    "gl|agent-{w50}",
    "gl|soat-{w20}",
    "gl|oas-{x64}",
    "gl|ffct-{w20}",
    "ATB|B{a32}",
    // Slack
    "xox|b-{d12}-{d13}-{a24}",
    "xox|p-{d12}-{d12}-{d13}-{x32}",
    "xox|a-2-{d12}-{d12}-{a24}",
    "xox|e.xox|p-1-{a120}",
    "xox|e.xox|b-1-{a120}",
    "xox|e-1-{a140}",
    "xox|c-{d12}-{d12}-{d13}-{x64}",
    "xox|d-{b60}",
    "xox|s-{d12}-{d12}-{x32}",
    "xa|pp-1-A0{u9}-{d13}-{x64}",
    "xwf|p-{d12}-{a30}",
    // Google
    "ya|29.a0Af{w120}",
    "1//|0g{w60}",
    "1//|03{w40}-{w40}",
    "4/|0A{w60}",
    "AI|za{w35}",
    "GOC|SPX-{w28}",
    "AQ.|Ab8RN6{w44}",
    // Microsoft
    "{a3}8Q|~{w34}",
    "0.A|XEA{w120}.AgAB{w200}",
    "1.A|Uc{w120}.AgAB{w200}",
    "M.C5|36_BAY.0.U.-{w40}*{w20}!{w40}$$",
    "M.R3|_BAY.-{w60}!{w20}",
    "Ew|BoA8l6BAAU{b120}==",
    // Atlassian, Notion, other work tools
    "ATA|TT3xFfGF0{w150}={u8}",
    "ATC|TT3xFfGN0{w150}={u8}",
    "ATO|A{a60}",
    "nt|n_{d11}{a35}",
    "sec|ret_{a43}",
    "lin|_api_{a40}",
    "lin|_oauth_{x64}",
    "fig|d_{w40}",
    "fig|u_{w40}",
    "figo|r_{w40}",
    "pat{a14}.{x64}",
    "key{a14}",
    "1/{d16}:{x32}",
    "2/{d16}/{d16}:{x32}",
    "pk_{d8}_{u32}",
    "dop|_v1_{x64}",
    "doo|_v1_{x64}",
    "dor|_v1_{x64}",
    "dp.pt|.{a43}",
    "dp.st|.prd.{a43}",
    "dp.ct|.{a43}",
    "dp.sa|.{a43}",
    "PMA|K-{x24}-{x34}",
    // Models and gateways
    "s|k-{a48}",
    "s|k-proj-{w60}T3Blbk{w60}",
    "s|k-svcacct-{w60}",
    "s|k-admin-{w60}",
    "s|k-ant-api03-{w93}AA",
    "s|k-ant-oat01-{w90}",
    "s|k-ant-ort01-{w90}",
    "s|k-ant-sid01-{w90}",
    "s|k-or-v1-{x64}",
    "s|k-lf-{g}",
    "s|k-{w22}",
    "sk|_{x48}",
    "gs|k_{a52}",
    "xa|i-{a80}",
    "pp|lx-{a48}",
    "h|f_{a34}",
    "api|_org_{a34}",
    "r8|_{a37}",
    "nv|api-{w64}",
    "f|c-{x32}",
    "tv|ly-{a32}",
    "lsv2|_pt_{x32}_{x10}",
    "lsv2|_sk_{x32}_{x10}",
    "cs|k-{l48}",
    "tg|p_v1_{w43}",
    "e2|b_{x40}",
    "fw|_{a24}",
    "crs|r_{a60}",
    "sm|_pat_{a16}",
    // Databases, packages, hosting, builds
    "sb|p_{x40}",
    "sb|_secret_{w31}",
    "ph|x_{a43}",
    "ph|c_{a43}",
    "np|m_{a36}",
    "py|pi-AgEIcHlwaS5vcmc{w150}",
    "ruby|gems_{x48}",
    "ci|o{a32}",
    "oy|2{l43}",
    "dck|r_pat_{w27}",
    "dck|r_oat_{w32}",
    "nf|p_{a40}",
    "nf|c_{a40}",
    "vc|p_{a56}",
    "vc|k_{a56}",
    "Fly|V1 fm2_{b100}",
    "fm|2_{b100}",
    "fo|1_{w43}",
    "da|pi{x32}",
    "da|pi{x32}-2",
    "psc|ale_tkn_{w43}",
    "psc|ale_pw_{w43}",
    "psc|ale_oauth_{w43}",
    "nap|i_{l64}",
    "HR|KU-AA{w58}",
    "HR|KU-{g}",
    "rn|d_{a32}",
    "CCI|PAT_{a22}_{x40}",
    "bk|ua_{x40}",
    "sq|p_{x40}",
    "sq|u_{x40}",
    "sg|p_{x40}",
    "AKC|p8{a69}",
    "{a14}.atl|asv1.{w67}",
    "p|ul-{x40}",
    "pn|u_{a36}",
    "PRE|FECT-{a30}",
    "rdm|e_{l70}",
    // Payment, shops, mail, chat
    "sk|_live_{a99}",
    "sk|_test_{a24}",
    "rk|_live_{a99}",
    "rk|_test_{a24}",
    "wh|sec_{b32}",
    "shp|at_{x32}",
    "shp|ca_{x32}",
    "shp|pa_{x32}",
    "shp|ss_{x32}",
    "shp|ua_{x32}",
    "shp|tka_{x32}",
    "sq0|atp-{w22}",
    "sq0|csp-{w43}",
    "EA|AA{w60}",
    "EA|AC{a120}",
    "S|G.{w22}.{w43}",
    "ke|y-{x32}",
    "{x32}-us|12",
    "xk|eysib-{x64}-{a16}",
    "pat|-na1-{g}",
    "pat|-eu1-{g}",
    "r|e_{a8}_{a24}",
    "SK{x32}",
    "access|-production-{g}",
    "access|-sandbox-{g}",
    "rzp|_live_{a14}",
    "pdl|_live_apikey_{l26}_{a22}_{a3}",
    "live|_{a30}",
    "A21|AA{w90}",
    "shi|ppo_live_{x40}",
    "dG9r|OjE{b40}=",
    "sl|.u.AF{w130}",
    "sl|.B{w130}",
    "{d9}:AA{w33}",
    "M|Tk4{a22}.G{w5}.{w38}",
    "O|DUz{a20}.X{w5}.{w27}",
    "mf|a.{w84}",
    "sy|t_{w20}_{a20}_{a6}",
    // Clouds, identity, secrets managers, observability, networks
    "AK|IA{u16}",
    "AS|IA{u16}",
    "AB|IA{u16}",
    "AC|CA{u16}",
    "ABS|K{b109}=",
    "LT|AI{a20}",
    "AK|ID{a32}",
    "t1|.{w80}.{w86}",
    "AQ|VN{w36}",
    "hv|s.{w24}",
    "hv|s.CAES{w90}",
    "hv|b.{w120}",
    "hv|r.{w40}",
    "s|.{a24}",
    "ops|_eyJ{w200}",
    "A3-{u6}-{u11}-{u5}-{u5}-{u5}",
    "gls|a_{a32}_{x8}",
    "gl|c_eyJ{b80}=",
    "ey|JrIjoi{b60}=",
    "sntr|ys_eyJ{b100}_{b43}",
    "sntr|yu_{x64}",
    "NR|AK-{u27}",
    "NR|II-{w32}",
    "NR|JS-{x19}",
    "{x36}NR|AL",
    "dt0|c01.{u24}.{u64}",
    "hca|ik_{l58}",
    "ts|key-auth-{a12}-{a32}",
    "ts|key-api-{a12}-{a32}",
    "cf|ut_{w40}",
    "v1|.0-{x24}-{x146}",
    "AGE|-SECRET-KEY-1{u58}",
    "ory|_at_{w43}.{w43}",
    "ory|_rt_{w43}.{w43}",
    "ory|_ac_{w43}.{w43}",
    "00{w39}Z",
    "00D{a12}!AQ{w40}.{w50}",
    "00D{a15}!{w40}_{w50}",
    "p8e|-{a32}",
    "CFP|AT-{w43}",
    "FLW|SECK_TEST-{x32}-X",
    "duf|fel_test_{w43}",
    "EZ|AK{a54}",
    "ai|o_{a28}",
    "ic|o-{a32}",
    "sdk|-{g}",
    "cm|VmdGtuOjAx{b50}",
    "{b44}JQQJ99{a20}AAAA{a10}",
    "{a52}+AStA{b10}==",
    "LS0tLS1CRUdJ|TiBQUklWQVRFIEtFWS0tLS0t{b80}",
    "PHNhb|WxwOlJlc3BvbnNl{b200}=",
    "https://hooks.sla|ck.com/services/^T0{u8}/B0{u8}/{a24}",
    "https://discord.com/api/web|hooks/^{d18}/{w68}",
    "https://acme.webhook.off|ice.com/webhookb2/^{g}@{g}/IncomingWebhook/{x32}/{g}",
];

/// What a secret may look like where its place gives it away.
pub(super) const FLAVOURS: &[&str] = &[
    "{a32}",
    "{x40}",
    "{w43}",
    "{b42}==",
    "{g}",
    "{p10}{d2}",
    "{p12}",
    "{a8}",
    "FAKEfake{p8}",
    "{d10}",
    "{u20}",
    "{a10}.{a10}",
    "{w16}~{w8}",
];

/// Those that look random, for places that mean other things too.
pub(super) const RANDOM_FLAVOURS: &[&str] = &["{a32}", "{x40}", "{w43}", "{a22}"];
