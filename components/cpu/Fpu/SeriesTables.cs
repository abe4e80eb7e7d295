namespace Plexus.Cpu.Fpu;

/// <summary>Coefficients, in units of 2^-127 and rounded to nearest, and constants to 128 bits.</summary>
internal static class SeriesTables
{
    /// <summary>1/(2k+1)!</summary>
    public static readonly UInt128[] Sine =
    [
        new(0x8000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x1555_5555_5555_5555, 0x5555_5555_5555_5555),
        new(0x0111_1111_1111_1111, 0x1111_1111_1111_1111),
        new(0x0006_8068_0680_6806, 0x8068_0680_6806_8068),
        new(0x0000_171D_E3A5_56C7, 0x338F_AAC1_C88E_5001),
        new(0x0000_0035_CC8A_CFEA, 0x89C7_1FCE_8FC9_7070),
        new(0x0000_0000_5849_184E, 0xA1B4_25F2_8E0C_C749),
        new(0x0000_0000_006B_9FCF, 0x9CCE_E07C_4761_95AC),
        new(0x0000_0000_0000_654B, 0x1DC0_C2B5_29AC_9814),
        new(0x0000_0000_0000_004B, 0xD26D_1A05_055C_9328),
        new(0x0000_0000_0000_0000, 0x2E37_1DED_B9EA_E318),
        new(0x0000_0000_0000_0000, 0x0017_61B4_1316_381A),
        new(0x0000_0000_0000_0000, 0x0000_09F9_E66E_8B30),
        new(0x0000_0000_0000_0000, 0x0000_0003_A356_385C),
        new(0x0000_0000_0000_0000, 0x0000_0000_0125_9F99),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_50D3),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_0014),
    ];

    /// <summary>1/(2k)!</summary>
    public static readonly UInt128[] Cosine =
    [
        new(0x8000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x4000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x0555_5555_5555_5555, 0x5555_5555_5555_5555),
        new(0x002D_82D8_2D82_D82D, 0x82D8_2D82_D82D_82D8),
        new(0x0000_D00D_00D0_0D00, 0xD00D_00D0_0D00_D00D),
        new(0x0000_024F_C9F6_EF13, 0xEB8E_5DE0_2DA7_D4CD),
        new(0x0000_0004_7BB6_3BFE, 0x3625_ED51_36A6_1EB4),
        new(0x0000_0000_064E_5D2A, 0x301F_2748_2EB7_C517),
        new(0x0000_0000_0006_B9FC, 0xF9CC_EE07_C476_195B),
        new(0x0000_0000_0000_05A0, 0x9E18_EE5F_65DE_EC01),
        new(0x0000_0000_0000_0003, 0xCA85_7480_4044_A0F5),
        new(0x0000_0000_0000_0000, 0x0219_C72D_B6FF_0A53),
        new(0x0000_0000_0000_0000, 0x0000_F967_80CB_97AC),
        new(0x0000_0000_0000_0000, 0x0000_0062_3A17_F1A9),
        new(0x0000_0000_0000_0000, 0x0000_0000_2143_144C),
        new(0x0000_0000_0000_0000, 0x0000_0000_0009_C996),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_0287),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_0001),
    ];

    /// <summary>1/(k+1)!</summary>
    public static readonly UInt128[] Exponential =
    [
        new(0x8000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x4000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x1555_5555_5555_5555, 0x5555_5555_5555_5555),
        new(0x0555_5555_5555_5555, 0x5555_5555_5555_5555),
        new(0x0111_1111_1111_1111, 0x1111_1111_1111_1111),
        new(0x002D_82D8_2D82_D82D, 0x82D8_2D82_D82D_82D8),
        new(0x0006_8068_0680_6806, 0x8068_0680_6806_8068),
        new(0x0000_D00D_00D0_0D00, 0xD00D_00D0_0D00_D00D),
        new(0x0000_171D_E3A5_56C7, 0x338F_AAC1_C88E_5001),
        new(0x0000_024F_C9F6_EF13, 0xEB8E_5DE0_2DA7_D4CD),
        new(0x0000_0035_CC8A_CFEA, 0x89C7_1FCE_8FC9_7070),
        new(0x0000_0004_7BB6_3BFE, 0x3625_ED51_36A6_1EB4),
        new(0x0000_0000_5849_184E, 0xA1B4_25F2_8E0C_C749),
        new(0x0000_0000_064E_5D2A, 0x301F_2748_2EB7_C517),
        new(0x0000_0000_006B_9FCF, 0x9CCE_E07C_4761_95AC),
        new(0x0000_0000_0006_B9FC, 0xF9CC_EE07_C476_195B),
        new(0x0000_0000_0000_654B, 0x1DC0_C2B5_29AC_9814),
        new(0x0000_0000_0000_05A0, 0x9E18_EE5F_65DE_EC01),
        new(0x0000_0000_0000_004B, 0xD26D_1A05_055C_9328),
        new(0x0000_0000_0000_0003, 0xCA85_7480_4044_A0F5),
        new(0x0000_0000_0000_0000, 0x2E37_1DED_B9EA_E318),
        new(0x0000_0000_0000_0000, 0x0219_C72D_B6FF_0A53),
        new(0x0000_0000_0000_0000, 0x0017_61B4_1316_381A),
        new(0x0000_0000_0000_0000, 0x0000_F967_80CB_97AC),
        new(0x0000_0000_0000_0000, 0x0000_09F9_E66E_8B30),
        new(0x0000_0000_0000_0000, 0x0000_0062_3A17_F1A9),
        new(0x0000_0000_0000_0000, 0x0000_0003_A356_385C),
        new(0x0000_0000_0000_0000, 0x0000_0000_2143_144C),
        new(0x0000_0000_0000_0000, 0x0000_0000_0125_9F99),
        new(0x0000_0000_0000_0000, 0x0000_0000_0009_C996),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_50D3),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_0287),
        new(0x0000_0000_0000_0000, 0x0000_0000_0000_0014),
    ];

    /// <summary>1/(2k+1), of the series of the arc tangent and of its hyperbolic cousin.</summary>
    public static readonly UInt128[] Odd =
    [
        new(0x8000_0000_0000_0000, 0x0000_0000_0000_0000),
        new(0x2AAA_AAAA_AAAA_AAAA, 0xAAAA_AAAA_AAAA_AAAB),
        new(0x1999_9999_9999_9999, 0x9999_9999_9999_999A),
        new(0x1249_2492_4924_9249, 0x2492_4924_9249_2492),
        new(0x0E38_E38E_38E3_8E38, 0xE38E_38E3_8E38_E38E),
        new(0x0BA2_E8BA_2E8B_A2E8, 0xBA2E_8BA2_E8BA_2E8C),
        new(0x09D8_9D89_D89D_89D8, 0x9D89_D89D_89D8_9D8A),
        new(0x0888_8888_8888_8888, 0x8888_8888_8888_8889),
        new(0x0787_8787_8787_8787, 0x8787_8787_8787_8788),
        new(0x06BC_A1AF_286B_CA1A, 0xF286_BCA1_AF28_6BCA),
        new(0x0618_6186_1861_8618, 0x6186_1861_8618_6186),
        new(0x0590_B216_42C8_590B, 0x2164_2C85_90B2_1643),
        new(0x051E_B851_EB85_1EB8, 0x51EB_851E_B851_EB85),
        new(0x04BD_A12F_684B_DA12, 0xF684_BDA1_2F68_4BDA),
        new(0x0469_EE58_469E_E584, 0x69EE_5846_9EE5_846A),
        new(0x0421_0842_1084_2108, 0x4210_8421_0842_1084),
        new(0x03E0_F83E_0F83_E0F8, 0x3E0F_83E0_F83E_0F84),
        new(0x03A8_3A83_A83A_83A8, 0x3A83_A83A_83A8_3A84),
        new(0x0375_9F22_9837_59F2, 0x2983_759F_2298_375A),
        new(0x0348_3483_4834_8348, 0x3483_4834_8348_3483),
        new(0x031F_3831_F383_1F38, 0x31F3_831F_3831_F383),
        new(0x02FA_0BE8_2FA0_BE82, 0xFA0B_E82F_A0BE_82FA),
        new(0x02D8_2D82_D82D_82D8, 0x2D82_D82D_82D8_2D83),
        new(0x02B9_3105_7262_0AE4, 0xC415_C988_2B93_1057),
        new(0x029C_BC14_E5E0_A72F, 0x0539_7829_CBC1_4E5E),
        new(0x0282_8282_8282_8282, 0x8282_8282_8282_8283),
    ];

    /// <summary>atan(k/8), k from 1 to 8; the first is not used.</summary>
    public static readonly Wide[] ArcTangents =
    [
        default,
        new(false, -4, new(0xFEAD_D4D5_617B_6E32, 0xC897_989F_3E88_8EF8)),
        new(false, -3, new(0xFADB_AFC9_6406_EB15, 0x6DC7_9EF5_F7A2_17E6)),
        new(false, -2, new(0xB7B0_CA0F_26F7_8473, 0x8AA3_2122_DCFE_4483)),
        new(false, -2, new(0xED63_382B_0DDA_7B45, 0x6FE4_45EC_BC3A_8D03)),
        new(false, -1, new(0x8F00_5D5E_F7F5_9F9B, 0x5C83_5E16_65C4_3748)),
        new(false, -1, new(0xA4BC_7D19_34F7_0924, 0x19A8_7F2A_457D_AC9F)),
        new(false, -1, new(0xB805_3E2B_C231_9E73, 0xCB2D_A552_10A4_443D)),
        new(false, -1, new(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1)),
    ];

    /// <summary>π.</summary>
    public static readonly Wide Pi = new(false, 1, new(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1));

    /// <summary>π/2.</summary>
    public static readonly Wide HalfPi = new(false, 0, new(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1));

    /// <summary>π/4.</summary>
    public static readonly Wide QuarterPi = new(false, -1, new(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1));

    /// <summary>3π/4.</summary>
    public static readonly Wide ThreeQuarterPi = new(false, 1, new(0x96CB_E3F9_990E_91A7, 0x9394_C9E8_A0A5_159D));

    /// <summary>ln 2.</summary>
    public static readonly Wide Ln2 = new(false, -1, new(0xB172_17F7_D1CF_79AB, 0xC9E3_B398_03F2_F6AF));

    /// <summary>2/ln 2.</summary>
    public static readonly Wide TwoOverLn2 = new(false, 1, new(0xB8AA_3B29_5C17_F0BB, 0xBE87_FED0_691D_3E89));

    /// <summary>√½, where a significand is halved.</summary>
    public static readonly Wide HalfRootTwo = new(false, -1, new(0xB504_F333_F9DE_6484, 0x597D_89B3_754A_BE9F));
}
