# SPDX-License-Identifier: Apache-2.0
"""Coefficients of erf's upper branch in simd/math_f64.h: p(t) = -ln erfc(1.5 + t) on [-0.5625, 4.5], degree 22, weighted by
erfc (what an error of p costs in erf). Collocation at nodes that crowd where the weight is; needs mpmath. Prints the
coefficients, constant first, and the weighted error of the rounded polynomial."""
from mpmath import cos, erfc, log, lu_solve, matrix, mp, mpf, pi

mp.prec = 160
LOW, HIGH, DEGREE = mpf(-0.5625), mpf(4.5), 22


def rounded(v):
    return mpf(float(v))


def f(t):
    return -log(erfc(mpf(1.5) + t))


def weight(t):
    return erfc(mpf(1.5) + t)


def main():
    first = rounded(f(mpf(0)))
    count = DEGREE + 1
    nodes = [LOW + (HIGH - LOW) * ((1 - cos(pi * mpf(i) / (count - 1))) / 2) ** mpf(1.6) for i in range(count)]
    a, b = matrix(count, count), matrix(count, 1)
    for row, t in enumerate(nodes):
        for i in range(DEGREE):
            a[row, i] = weight(t) * t ** (i + 1)
        a[row, DEGREE] = (-1) ** row
        b[row] = weight(t) * (f(t) - first)
    x = lu_solve(a, b)
    c = [rounded(x[i]) for i in range(DEGREE)]
    worst = mpf(0)
    for i in range(701):
        t = LOW + (HIGH - LOW) * (mpf(i) / 700) ** mpf(1.6)
        s = mpf(0)
        for k in reversed(c):
            s = s * t + k
        worst = max(worst, abs(weight(t) * (f(t) - first - s * t)))
    for v in [first] + c:
        print(float(v).hex())
    print("error 2^%.2f" % float(log(worst, 2)))


main()
