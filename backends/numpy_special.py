"""Special functions in pure NumPy, pasted into modules that use them.

Series of Chebyshev polynomials were fitted to 40-digit values; they and the asymptotic series reach
the precision of float64, in which everything here is computed whatever the type of the argument.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, attr-defined"

from __future__ import annotations

from math import nan

import numpy as np


def _series(coefficients, t):
    """The Chebyshev series at t in [-1, 1]."""
    ahead, last = 0.0, 0.0
    for c in coefficients[:0:-1]:
        ahead, last = c + 2.0 * t * ahead - last, ahead
    return coefficients[0] + t * ahead - last


def _polynomial(coefficients, x):
    total = 0.0
    for c in coefficients[::-1]:
        total = total * x + c
    return total


def _exp_of_square(x, sign):
    """exp(sign * x²) without the rounding of x²."""
    coarse = np.round(x * 16.0) / 16.0
    return np.exp(sign * coarse * coarse) * np.exp(sign * (x - coarse) * (x + coarse))


# (1 + 2x) exp(x²) erfc(x) in t = (x - 3.75) / (x + 3.75).
_ERFCX = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
    -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
    -6.916973302501207e-05, 4.13902798607301e-06, 7.74038306619849e-07, -2.1886401049234397e-07,
    1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10, -6.318088340886684e-11,
    2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
    3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
    5.068148904796111e-17,
)  # fmt: skip

# erf(x) / x in 2x² - 1, for |x| <= 1.
_ERF = (
    0.9754769393826541, -0.14226120510371365, 0.010035582187599796, -0.0005768764699767485,
    2.741993125219606e-05, -1.1043175507344507e-06, 3.8488755420345036e-08, -1.1808582533875466e-09,
    3.2334215826050907e-11, -7.991015947004549e-13, 1.7990725113961456e-14, -3.718635487818693e-16,
)  # fmt: skip


def _erfcx_positive(x):
    return _series(_ERFCX, 1.0 - 7.5 / (x + 3.75)) / (1.0 + 2.0 * x)


def _erfcx(x):
    """exp(x²) erfc(x)."""
    wide = x.astype(np.float64)
    near = _erfcx_positive(np.abs(wide))
    low = np.minimum(wide, 0.0)
    return np.where(wide < 0, 2.0 * _exp_of_square(np.maximum(low, -30.0), 1.0) - near, near).astype(x.dtype)


def _erf_middle(x):
    x = np.clip(x, -1.0, 1.0)
    return x * _series(_ERF, 2.0 * x * x - 1.0)


def _erfc_wide(x):
    size = np.abs(x)
    tail = _exp_of_square(np.minimum(size, 30.0), -1.0) * _erfcx_positive(size)
    return np.where(size < 0.5, 1.0 - _erf_middle(x), np.where(x < 0, 2.0 - tail, tail))


def _erfc(x):
    return _erfc_wide(x.astype(np.float64)).astype(x.dtype)


def _erf(x):
    wide = x.astype(np.float64)
    beyond = np.sign(wide) * (1.0 - _erfc_wide(np.abs(wide)))
    return np.where(np.abs(wide) < 1, _erf_middle(wide), beyond).astype(x.dtype)


def _normal_cdf(x):
    return (0.5 * _erfc_wide(x.astype(np.float64) * -0.7071067811865476)).astype(x.dtype)


def _log_normal_cdf(x):
    wide = x.astype(np.float64)
    low = np.minimum(wide, -1.0)
    far = np.log(0.5 * _erfcx_positive(low * -0.7071067811865476)) - 0.5 * low * low
    near = np.log1p(-0.5 * _erfc_wide(wide * 0.7071067811865476))
    return np.where(wide < -1, far, near).astype(x.dtype)


def _inverse_mills(x):
    """The normal density over the normal cdf."""
    return (0.7978845608028654 / _erfcx(x.astype(np.float64) * -0.7071067811865476)).astype(x.dtype)


# log Γ(x) / (x - 1) in 2(x - 1), on [0.5, 1.5].
_LGAMMA_1 = (
    -0.633011426275031, 0.4405675574678963, -0.057857409449912446, 0.010513973690267811,
    -0.002163989092091715, 0.0004744402338724658, -0.00010799644528099427, 2.5201155299530276e-05,
    -5.986014498026819e-06, 1.4410616180293054e-06, -3.5060690575761177e-07, 8.603823016763753e-08,
    -2.126510912478688e-08, 5.287778091463614e-09, -1.3217135752166157e-09, 3.3186698554450495e-10,
    -8.365902567746219e-11, 2.116338666160694e-11, -5.370507653794381e-12, 1.3666688100545857e-12,
    -3.486660039885161e-13, 8.915622432767707e-14, -2.28454959350908e-14, 5.86514671522212e-15,
    -1.5084071183968602e-15, 3.885614648428306e-16, -1.0024188186640361e-16, 2.5896418565384152e-17,
    -6.69867474095857e-18,
)  # fmt: skip

# log Γ(x) / (x - 2) in 2(x - 2), on [1.5, 2.5].
_LGAMMA_2 = (
    0.41418612492156676, 0.16322170068760064, -0.008658972394126285, 0.0006727515726001485,
    -6.139556963628233e-05, 6.110065797003576e-06, -6.410003033826223e-07, 6.962242692768951e-08,
    -7.747248733788217e-09, 8.774075140687239e-10, -1.0070266869830198e-10, 1.1678602130652374e-11,
    -1.3656871334744932e-12, 1.6079351149711552e-13, -1.9039501088488732e-14, 2.2653768767833064e-15,
    -2.706656814831896e-16, 3.245660731626191e-17,
)  # fmt: skip

# log Γ(x) in (x - 5.5) / 3, on [2.5, 8.5].
_LGAMMA_3 = (
    4.428975450071565, 4.685742577793291, 0.47922624150016324, -0.05172827512092936, 0.008399319713339971,
    -0.0016354230985536316, 0.0003530448268431771, -8.142720125128887e-05, 1.96587174586311e-05,
    -4.906277787026336e-06, 1.2554640521233518e-06, -3.275407186269492e-07, 8.67734194390302e-08,
    -2.327451585731649e-08, 6.306308331805313e-09, -1.7231457989954196e-09, 4.741712521483477e-10,
    -1.3126514589407728e-10, 3.652501693268676e-11, -1.0208313788466799e-11, 2.864115189931221e-12,
    -8.06293365370792e-13, 2.276613376288843e-13, -6.445164679687632e-14, 1.828961320784728e-14,
    -5.201112140934231e-15, 1.4819020519762657e-15, -4.229579001638431e-16, 1.2091000184968336e-16,
)  # fmt: skip

# The asymptotic series of log Γ in 1 / x².
_STIRLING = (
    0.08333333333333333, -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953,
    0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242,
    0.17964437236883057, -1.3924322169059011,
)  # fmt: skip


def _lgamma_near_one(z):
    z = np.clip(z, -0.5, 0.5)
    return z * _series(_LGAMMA_1, 2.0 * z)


def _lgamma_positive(x):
    far = np.maximum(x, 8.0)
    stirling = (far - 0.5) * np.log(far) - far + 0.9189385332046727
    stirling = np.where(np.isinf(far), far, stirling + _polynomial(_STIRLING, 1.0 / (far * far)) / far)
    two = np.clip(x - 2.0, -0.5, 0.5)
    five = np.clip((x - 5.5) / 3.0, -1.0, 1.0)
    tiny = _lgamma_near_one(x) - np.log(np.minimum(x, 1.0))
    return np.select(
        [x < 0.5, x < 1.5, x < 2.5, x < 8.5],
        [tiny, _lgamma_near_one(x - 1.0), two * _series(_LGAMMA_2, 2.0 * two), _series(_LGAMMA_3, five)],
        stirling,
    )


def _lgamma(x):
    """log |Γ(x)|."""
    wide = x.astype(np.float64)
    low = np.minimum(wide, 0.0)
    sine = np.abs(np.sin(np.pi * (low - np.round(low))))
    mirrored = np.log(np.pi / sine) - _lgamma_positive(1.0 - low)
    positive = _lgamma_positive(np.where(wide > 0, wide, 1.0))
    result = np.where(wide > 0, positive, mirrored)
    return np.where(np.isnan(wide), nan, result).astype(x.dtype)


# The asymptotic series of digamma in 1 / x².
_DIGAMMA = (
    0.08333333333333333, -0.008333333333333333, 0.003968253968253968, -0.004166666666666667,
    0.007575757575757576, -0.021092796092796094, 0.08333333333333333, -0.4432598039215686,
    3.0539543302701198, -26.456212121212122,
)  # fmt: skip


def _digamma_positive(x):
    small = x < 10
    far = np.where(small, x + 10.0, x)
    total = np.log(far) - 0.5 / far - _polynomial(_DIGAMMA, 1.0 / (far * far)) / (far * far)
    shift = sum(1.0 / (x + k) for k in range(9, -1, -1))
    return np.where(small, total - shift, total)


def _digamma(x):
    wide = x.astype(np.float64)
    low = np.minimum(wide, 0.0)
    angle = np.pi * (low - np.round(low))
    mirrored = _digamma_positive(1.0 - low) - np.pi / np.tan(angle)
    pole = (wide <= 0) & (wide == np.round(wide))
    positive = _digamma_positive(np.where(wide > 0, wide, 1.0))
    result = np.where(wide > 0, positive, mirrored)
    return np.where(pole | np.isnan(wide), nan, result).astype(x.dtype)


_BERNOULLI = (
    0.16666666666666666, -0.03333333333333333, 0.023809523809523808, -0.03333333333333333,
    0.07575757575757576, -0.2531135531135531, 1.1666666666666667, -7.092156862745098, 54.971177944862156,
    -529.1242424242424, 6192.123188405797, -86580.25311355312,
)  # fmt: skip


def _zeta(s, x):
    """The sum over k >= 0 of (x + k)^-s, by Euler and Maclaurin's formula, for x > -8."""
    far = x + 16.0
    total = sum((x + k) ** -s for k in range(15, -1, -1))
    total = total + far ** (1 - s) / (s - 1) + 0.5 * far**-s
    factor, term = s / 2.0, far ** (-s - 1)
    for j, b in enumerate(_BERNOULLI, start=1):
        total = total + b * factor * term
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2))
        term = term / (far * far)
    return np.where(np.isinf(x), 0.0, total)


def _polygamma(n, x):
    """The n-th derivative of digamma, n >= 1; for n > 1 where x > -8."""
    wide = x.astype(np.float64)
    sign = 1.0 if n % 2 else -1.0
    factorial = float(np.prod(np.arange(1, n + 1), dtype=np.float64))
    if n > 1:
        return np.where(wide > -8, sign * factorial * _zeta(n + 1, np.maximum(wide, -8.0)), nan).astype(
            x.dtype
        )
    low = np.minimum(wide, 0.0)
    sine = np.sin(np.pi * (low - np.round(low)))
    mirrored = (np.pi / sine) ** 2 - _zeta(2, 1.0 - low)
    return np.where(wide > 0, _zeta(2, np.where(wide > 0, wide, 1.0)), mirrored).astype(x.dtype)


# The power series of I0 and 2 I1 / x in x² / 4, and their asymptotic series in 1 / x.
_I0 = (
    1.0, 1.0, 0.25, 0.027777777777777776, 0.001736111111111111, 6.944444444444444e-05,
    1.9290123456790124e-06, 3.936759889140842e-08, 6.151187326782565e-10, 7.594058428126624e-12,
    7.594058428126623e-14, 6.276081345559193e-16, 4.358389823304995e-18, 2.5789288895295828e-20,
    1.3157800456783586e-22, 5.8479113141260385e-25, 2.2843403570804838e-27, 7.904291893012054e-30,
    2.4395962632753253e-32, 6.757884385804225e-35, 1.6894710964510564e-37, 3.8310002187098785e-40,
    7.915289708078262e-43, 1.4962740468957016e-45, 2.5976979980828152e-48, 4.156316796932504e-51,
    6.14839762859838e-54, 8.434015951438106e-57, 1.0757673407446564e-59, 1.2791526049282477e-62,
    1.4212806721424974e-65, 1.4789601166935458e-68, 1.4442969889585408e-71, 1.3262598613026087e-74,
    1.147283617043779e-77, 9.365580547296156e-81, 7.226528200074194e-84, 5.278691161485898e-87,
    3.6556032974279072e-90, 2.4034209713529963e-93, 1.5021381070956227e-96, 8.935979221270807e-100,
    5.065747857863269e-103, 2.739723016691871e-106, 1.4151461863077845e-109, 6.988376228680417e-113,
    3.3026352687525603e-116, 1.4950816064973112e-119, 6.48906947264458e-123, 2.7026528415845812e-126,
    1.0810611366338324e-129, 4.156328860568368e-133, 1.5371038685533903e-136, 5.472067883778535e-140,
    1.876566489635986e-143, 6.203525585573507e-147, 1.9781650464201234e-150, 6.088535076700903e-154,
    1.8099093569265468e-157, 5.199394877697635e-161, 1.4442763549160097e-164,
)  # fmt: skip
_I1 = (
    1.0, 0.5, 0.08333333333333333, 0.006944444444444444, 0.00034722222222222224, 1.1574074074074073e-05,
    2.755731922398589e-07, 4.920949861426052e-09, 6.834652585313961e-11, 7.594058428126623e-13,
    6.903689480115112e-15, 5.230067787965994e-17, 3.352607556388458e-19, 1.842092063949702e-21,
    8.771866971189057e-24, 3.654944571328774e-26, 1.3437296218120491e-28, 4.391273273895586e-31,
    1.2839980333028028e-33, 3.3789421929021126e-36, 8.045100459290744e-39, 1.7413637357772174e-41,
    3.4414303078601135e-44, 6.234475195398757e-47, 1.0390791992331261e-49, 1.5985833834355786e-52,
    2.2771843068882885e-55, 3.0121485540850376e-58, 3.7095425542919185e-61, 4.263842016427493e-64,
    4.5847763617499917e-67, 4.6217503646673306e-70, 4.376657542298608e-73, 3.900764297948849e-76,
    3.2779531915536543e-79, 2.60155015202671e-82, 1.9531157297497823e-85, 1.3891292530226046e-88,
    9.373341788276685e-92, 6.00855242838249e-95, 3.6637514807210306e-98, 2.127614100302573e-101,
    1.1780808971775045e-104, 6.2266432197542515e-108, 3.1447693029061876e-111, 1.5192122236261777e-114,
    7.026883550537362e-118, 3.114753346869398e-121, 1.3242998923764447e-124, 5.405305683169162e-128,
    2.1197277188898674e-131, 7.99294011647763e-135, 2.900195978402623e-138, 1.0133459044034324e-141,
    3.411939072065429e-145, 1.1077724259952691e-148, 3.470464993719515e-152, 1.0497474270173971e-155,
    3.0676429778416047e-159, 8.665658129496058e-163, 2.367666155600016e-166,
)  # fmt: skip
_I0_FAR = (
    1.0, 0.125, 0.0703125, 0.0732421875, 0.112152099609375, 0.22710800170898438, 0.5725014209747314,
    1.7277275025844574, 6.074042001273483, 24.380529699556064, 110.01714026924674, 551.3358961220206,
    3038.090510922384, 18257.755474293175, 118838.42625678325, 832859.3040162893, 6252951.493434797,
    50069589.531988926, 425939216.5047669, 3836255180.2304335, 36468400807.06556, 364901081884.98334,
    3833534661393.9443, 42189715702840.97, 485401468685290.06, 5827244631566907.0, 7.286857349377656e+16,
    9.47628809926011e+17, 1.2797219419759747e+19,
)  # fmt: skip
_I1_FAR = (
    1.0, -0.375, -0.1171875, -0.1025390625, -0.144195556640625, -0.2775764465332031, -0.6765925884246826,
    -1.993531733751297, -6.883914268109947, -27.248827311268542, -121.59789187653587, -603.8440767050702,
    -3302.2722944808525, -19718.37591223663, -127641.2726461746, -890297.8767070678, -6656367.718817688,
    -53104110.10968523, -450278600.3050393, -4043620325.107754, -38338575207.427895, -382701134659.8606,
    -4011838599133.1978, -44064814178522.79, -506056850331472.6, -6065091351222699.0,
    -7.572616461117957e+16, -9.83388387659068e+17, -1.3262572853205555e+19,
)  # fmt: skip


def _log_bessel_i0(x):
    """log I0(x)."""
    size = np.abs(x.astype(np.float64))
    q = 0.25 * np.minimum(size, 20.0) ** 2
    far = np.maximum(size, 20.0)
    near_value = np.log1p(q * _polynomial(_I0[1:], q))
    far_value = far + np.log(_polynomial(_I0_FAR, 1.0 / far)) - 0.5 * np.log(6.283185307179586 * far)
    far_value = np.where(np.isinf(far), far, far_value)
    return np.where(size < 20, near_value, far_value).astype(x.dtype)


def _bessel_ratio(x):
    """I1(x) / I0(x)."""
    wide = x.astype(np.float64)
    size = np.abs(wide)
    near = np.minimum(size, 20.0)
    q = 0.25 * near * near
    near_value = 0.5 * near * _polynomial(_I1, q) / _polynomial(_I0, q)
    inverse = 1.0 / np.maximum(size, 20.0)
    far_value = _polynomial(_I1_FAR, inverse) / _polynomial(_I0_FAR, inverse)
    return (np.sign(wide) * np.where(size < 20, near_value, far_value)).astype(x.dtype)
